"""Transformers as models of CTranslate2, a program in C++ that searches by itself."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import nn

from tandem.attentions.multi_head import MultiHeadAttention
from tandem.core.errors import InputError
from tandem.core.types import SPECIAL_IDS
from tandem.decoders.transformer import TransformerDecoder, TransformerDecoderLayer
from tandem.encoders.transformer import TransformerEncoder
from tandem.export.base import FLOAT32, INT8, Exporter
from tandem.export.ctranslate2_spec import transformer
from tandem.frontends.text import TextFrontend
from tandem.inference import Bundle
from tandem.inference.exported.ctranslate2 import FOLDER, FORMAT, STOP, check_decoding
from tandem.layers.positions import Rotary, position_limit
from tandem.models import Seq2Seq
from tandem.models.sequence_model import SequenceModel
from tandem.search import BeamSearch, Search

POSITIONS = 2048
"""Of a source, where they are computed: CTranslate2 reads them from a table."""

logger = logging.getLogger(__name__)


class CTranslate2(Exporter):
    """A folder for CTranslate2 inside of one for Tandem."""

    weights = (FLOAT32, INT8)

    def check(self, bundle: Bundle) -> None:
        """Refuse a model of another shape, and decoding that the program does not do."""
        check_model(bundle.model)
        search = bundle.decoding.search
        check_decoding(replace(bundle.decoding, search=_ended_as_there(search)))
        if isinstance(search, BeamSearch) and search.stop != STOP:
            logger.warning(
                "CTranslate2 ends beam search once search.width outputs have ended: the export has "
                "search.stop=%s instead of search.stop=%s, and may write other outputs.",
                STOP,
                search.stop,
            )

    def changes(self, bundle: Bundle) -> dict[str, Any]:
        """When beam search ends."""
        search = bundle.config["search"]
        return {"search": search | {"stop": STOP}} if "stop" in search else {}

    def write(self, bundle: Bundle, folder: Path, *, weights: str) -> dict[str, Any]:
        """See :class:`Exporter`."""
        model, source = bundle.model, bundle.processors.source
        assert isinstance(model, Seq2Seq)
        (tokenizer,) = source.tokenizers
        write_model(
            model,
            folder / FOLDER,
            source=tokenizer.symbols,
            target=bundle.processors.target.symbols,
            adds_bos=source.before == SPECIAL_IDS.bos,
            adds_eos=source.after == SPECIAL_IDS.eos,
            max_length=bundle.max_length,
            weights=weights,
        )
        longest = _longest_source(model, bundle.max_length)
        return {"format": FORMAT, "weights": weights, "longest_source": longest}

    def usage(self, output: Path) -> str:
        """Tandem takes one folder, and CTranslate2 another."""
        return (
            f"it takes the place of a run: tandem generate run={output}; {output / FOLDER} is for "
            "CTranslate2 alone"
        )


def _ended_as_there(search: Search) -> Search:
    """The search with CTranslate2's end of beam search."""
    if not isinstance(search, BeamSearch):
        return search
    penalty = search.penalty
    return BeamSearch(
        width=search.width, length_penalty=penalty.kind, alpha=penalty.alpha, stop=STOP
    )


def _longest_source(model: Seq2Seq, max_length: int) -> int | None:
    """Positions that there are for a source; None: as many as it has."""
    if any(isinstance(part, Rotary) for part in model.encoder.modules()):
        return None
    return position_limit(model.encoder) or table_rows(max_length)


def table_rows(max_length: int) -> int:
    """Rows of a table of positions that are computed."""
    return max(POSITIONS, max_length)


def check_model(model: SequenceModel) -> None:
    """Refuse a model of another shape.

    :raises InputError: in one sentence that names all that does not fit.
    """
    faults = list(_faults(model))
    if not faults:
        return
    what = " and ".join(fault for fault, _ in faults)
    remedies = " ".join(dict.fromkeys(remedy for _, remedy in faults if remedy))
    instead = f", or train with {remedies}" if all(remedy for _, remedy in faults) else ""
    raise InputError(
        "format=ctranslate2 writes Transformers that read texts through attention=multi_head, but "
        f"this model has {what}; choose format=onnx{instead}."
    )


def _faults(model: SequenceModel) -> Iterator[tuple[str, str]]:
    """What does not fit, and the keys that change it; empty if none do."""
    assert isinstance(model, Seq2Seq)
    encoder, decoder = model.encoder, model.decoder
    if type(model.frontend) is not TextFrontend:
        yield f"{type(model.frontend).__name__} ({model.frontend.media})", ""
    if type(encoder) is not TransformerEncoder:
        yield type(encoder).__name__, "encoder=transformer"
    if type(decoder) is not TransformerDecoder:
        yield type(decoder).__name__, "decoder=transformer attention=multi_head"
    else:
        layer = decoder.layers[0]
        assert isinstance(layer, TransformerDecoderLayer)
        attention = layer.attention
        if type(attention) is not MultiHeadAttention:
            yield type(attention).__name__, "attention=multi_head"
        elif attention.num_heads != decoder.num_heads:
            yield (
                f"{attention.num_heads} heads over the source beside {decoder.num_heads} of "
                "self-attention",
                f"attention.num_heads={decoder.num_heads}",
            )
    if model.copier is not None:
        yield "model.copying=true", "model.copying=false"


def write_model(
    model: Seq2Seq,
    folder: Path,
    *,
    source: Sequence[str],
    target: Sequence[str],
    adds_bos: bool,
    adds_eos: bool,
    max_length: int,
    weights: str,
) -> None:
    """Write what CTranslate2 reads: weights, vocabularies, and its ``config.json``.

    :param model: one that :func:`check_model` lets through.
    :param source: symbols of the source vocabulary, all different.
    :param target: symbols of the target vocabulary.
    :param adds_bos: whether ``bos`` is put in front of each source.
    :param adds_eos: whether ``eos`` is put behind each source.
    :param max_length: most symbols of an output, ``eos`` included.
    :param weights: of matrices: float32 or int8.
    """
    spec = transformer(model, positions=table_rows(max_length))
    spec.register_source_vocabulary(list(source))
    spec.register_target_vocabulary(list(target))
    spec.config.unk_token = target[SPECIAL_IDS.unk]
    spec.config.bos_token = spec.config.decoder_start_token = target[SPECIAL_IDS.bos]
    spec.config.eos_token = target[SPECIAL_IDS.eos]
    spec.config.add_source_bos, spec.config.add_source_eos = adds_bos, adds_eos
    spec.config.layer_norm_epsilon = nn.LayerNorm(1).eps
    spec.validate()
    spec.optimize(weights)
    folder.mkdir(exist_ok=True)
    spec.save(str(folder))
