"""The models, batches and training steps that the benchmarks of speed compare."""

import atexit
import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tandem.attentions import AdditiveAttention, MultiHeadAttention
from tandem.bridges import LinearBridge
from tandem.core.types import SPECIAL_TOKENS, Batch
from tandem.data.batching import Budget, Encoded, plan_batches
from tandem.data.columns import TextColumn
from tandem.data.preprocessing import Processors
from tandem.data.ragged import Ragged
from tandem.data.readers import TextReader
from tandem.data.tokenizers import WordTokenizer
from tandem.decoders import Decoder, RecurrentDecoder, TransformerDecoder
from tandem.encoders import Encoder, RecurrentEncoder, TransformerEncoder
from tandem.export.base import find_exporter
from tandem.export.folder import write_export
from tandem.frontends import TextFrontend
from tandem.inference import Bundle, save_bundle
from tandem.inference.decoding import Decoding
from tandem.inference.files import CONFIG
from tandem.models import Seq2Seq, assemble
from tandem.search import GreedySearch
from tandem.training.compiling import compile_model
from tandem.training.objective import Objective

SMOOTHING = 0.1
PRECISIONS = ("fp32", "rounded", "bf16-mixed")
"""``rounded``: fp32 whose products are rounded (TF32 on a GPU, bfloat16 on a CPU)."""

Step = Callable[[Batch], None]


@dataclass(frozen=True)
class Size:
    """Of a model, the texts and the batches."""

    vocabulary: int
    hidden: int
    inner: int
    layers: int
    """Of each side."""
    heads: int
    dropout: float
    gru: int
    """Hidden size of the GRU in each direction and of its attention."""
    max_tokens: int
    """Padded target tokens of a batch."""
    mean_length: float
    """Of targets, in symbols."""
    shape: float
    """Of the gamma distribution of their lengths: the larger, the more alike."""
    longest: int


SIZES = {
    "tiny": Size(8000, 128, 256, 4, 4, 0.3, 256, 4096, mean_length=15, shape=9, longest=45),
    "base": Size(32000, 512, 2048, 6, 8, 0.1, 512, 25000, mean_length=28, shape=3, longest=120),
    "small": Size(60, 16, 32, 1, 2, 0.1, 16, 640, mean_length=6, shape=9, longest=8),
}
"""``tiny``: Multi30k's; ``base``: WMT's with the base size of Vaswani et al. (2017); ``small``:
for trying a benchmark."""
EXAMPLES = {"tiny": 29_000, "base": 60_000, "small": 2_000}


def batches(size: str, count: int, *, seed: int = 0) -> list[Batch]:
    """Random batches whose lengths are spread as those of real texts."""
    sizes, rng = SIZES[size], np.random.default_rng(seed)
    drawn = rng.gamma(sizes.shape, sizes.mean_length / sizes.shape, EXAMPLES[size])
    target = np.clip(drawn.round(), 4, sizes.longest).astype(int)
    other = target + rng.normal(0, sizes.mean_length / 7.5, len(target))
    source = np.clip(other.round(), 4, sizes.longest).astype(int)

    def rows(lengths: np.ndarray) -> Ragged:
        ids = rng.integers(4, sizes.vocabulary, int(lengths.sum()), dtype=np.int32)
        return Ragged(ids, np.concatenate(([0], lengths.cumsum())))

    encoded = Encoded(
        TextColumn(rows(source), before=None, after=2), rows(target), np.arange(len(target))
    )
    budget = Budget(max_tokens=sizes.max_tokens, max_source_tokens=1 << 30, max_sentences=None)
    return [encoded.collate(chosen) for chosen in plan_batches(encoded, budget, rng=rng)[:count]]


def assembled(
    size: Size,
    encoder: Callable[..., Encoder],
    decoder: Callable[..., Decoder],
    *,
    tie_embeddings: str,
    dropout: float,
) -> Seq2Seq:
    """A text model of these parts with the size's vocabulary and embeddings."""
    return assemble(
        frontend=partial(TextFrontend, embedding_size=size.hidden, dropout=dropout),
        encoder=encoder,
        decoder=decoder,
        embedding_size=size.hidden,
        tie_embeddings=tie_embeddings,
        copying=False,
        dropout=dropout,
        ctc_weight=0.0,
        source_size=size.vocabulary,
        target_size=size.vocabulary,
        shared_vocabulary=True,
    )


def transformer(size: Size) -> Seq2Seq:
    """Tandem's Transformer with Marian's sizes."""
    shape: dict[str, Any] = {
        "hidden_size": size.hidden,
        "num_layers": size.layers,
        "num_heads": size.heads,
        "feed_forward_size": size.inner,
        "norm": "post",
        "activation": "relu",
        "positions": "sinusoidal",
        "max_length": 512,
        "input_dropout": size.dropout,
        "dropout": size.dropout,
        "attention_dropout": 0.0,
        "activation_dropout": 0.0,
    }
    attention = partial(MultiHeadAttention, num_heads=size.heads, dropout=0.0)
    return assembled(
        size,
        partial(TransformerEncoder, **shape),
        partial(TransformerDecoder, attention=attention, **shape),
        tie_embeddings="all",
        dropout=0.0,
    )


@cache
def exported(size: Size, format: str, weights: str) -> Path:
    """The folder that ``tandem export`` makes of :func:`transformer`; gone when the program ends.

    :param format: onnx or ctranslate2.
    :param weights: float32 or int8.
    """
    recipe = WordTokenizer(
        shared=True,
        lowercase=False,
        normalization="none",
        vocabulary_size=size.vocabulary,
        min_frequency=1,
    )
    names = range(size.vocabulary - len(SPECIAL_TOKENS))
    tokenizer = recipe.train([" ".join(f"s{name}" for name in names)])
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    run, output = folder / "run", folder / "export"
    model = transformer(size).eval()
    processors = Processors(TextReader(tokenizer, truncate=None), tokenizer, shared=True)
    others: dict[str, Any] = {key: {} for key in ("scorer", "rule", "dataset", "metric")}
    config = {
        "model": {part: {} for part in ("frontend", "encoder", "decoder", "model")},
        "search": {"_target_": "tandem.search.GreedySearch"},
        **others,
    }
    save_bundle(run, model=model, processors=processors, max_length=size.longest, config=config)
    written = json.loads((run / CONFIG).read_text(encoding="utf-8"))
    bundle = Bundle(model, processors, Decoding(GreedySearch()), size.longest, written)
    write_export(bundle, run, output, find_exporter(format, weights, run), weights=weights)
    return output


def gru(size: Size, *, output_size: int | None = None, tie_embeddings: str = "target") -> Seq2Seq:
    """A GRU with additive attention and input feeding."""
    return assembled(
        size,
        partial(
            RecurrentEncoder,
            cell="gru",
            hidden_size=2 * size.gru,
            num_layers=1,
            bidirectional=True,
            reverse=False,
            output_dropout=0.0,
            dropout=size.dropout,
        ),
        partial(
            RecurrentDecoder,
            attention=partial(AdditiveAttention, size=size.gru),
            bridge=LinearBridge,
            cell="gru",
            hidden_size=size.gru,
            num_layers=1,
            input_feeding=True,
            output_size=output_size or size.hidden,
            dropout=size.dropout,
        ),
        tie_embeddings=tie_embeddings,
        dropout=size.dropout,
    )


def marian(size: Size) -> nn.Module:
    """Hugging Face's Marian, with its own choice of attention kernel.

    :raises ImportError: without transformers.
    """
    from transformers import MarianConfig, MarianMTModel

    config = MarianConfig(
        vocab_size=size.vocabulary,
        d_model=size.hidden,
        encoder_layers=size.layers,
        decoder_layers=size.layers,
        encoder_ffn_dim=size.inner,
        decoder_ffn_dim=size.inner,
        encoder_attention_heads=size.heads,
        decoder_attention_heads=size.heads,
        dropout=size.dropout,
        attention_dropout=0.0,
        activation_dropout=0.0,
        activation_function="relu",
        max_position_embeddings=512,
        scale_embedding=True,
        pad_token_id=0,
        eos_token_id=2,
        decoder_start_token_id=1,
        forced_eos_token_id=None,
    )
    model: nn.Module = MarianMTModel(config)
    return model


def tandem_step(model: Seq2Seq, precision: str, *, compiled: bool = False) -> Step:
    """One training step as ``Seq2SeqModule`` and the Trainer take it.

    :param compiled: as with ``model.compile=true``.
    """
    objective = Objective(
        smoothing=SMOOTHING,
        ctc_weight=0.0,
        coverage_weight=0.0,
        r_drop_weight=0.0,
        teacher=None,
        teacher_weight=1.0,
        teacher_temperature=1.0,
    )
    if compiled:
        compile_model(model)
        objective.compile()
    return training_step(model, lambda batch: objective(model, batch)["loss"], precision)


def marian_step(model: nn.Module, precision: str) -> Step:
    """One training step of Marian, without the cache that training does not need."""

    def loss(batch: Batch) -> Tensor:
        logits = model(
            input_ids=batch.source,
            attention_mask=batch.source_mask.long(),
            decoder_input_ids=batch.target_in,
            use_cache=False,
        ).logits
        target = batch.target_out.masked_fill(~batch.target_mask, -100)
        return F.cross_entropy(
            logits.flatten(0, 1), target.flatten(), ignore_index=-100, label_smoothing=SMOOTHING
        )

    return training_step(model, loss, precision)


def training_step(model: nn.Module, loss: Callable[[Batch], Tensor], precision: str) -> Step:
    """Forward, backward, clipping and Adam.

    :param precision: one of ``PRECISIONS``.
    """
    model.train()
    device = next(model.parameters()).device.type
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4, fused=True)

    def step(batch: Batch) -> None:
        torch.set_float32_matmul_precision("medium" if precision == "rounded" else "highest")
        with torch.autocast(device, torch.bfloat16, enabled=precision == "bf16-mixed"):
            value = loss(batch)
        optimizer.zero_grad(set_to_none=True)
        value.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        torch.set_float32_matmul_precision("highest")

    return step
