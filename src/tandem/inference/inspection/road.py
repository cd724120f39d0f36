"""One source's way through a model, with all that is made on it."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from tandem.core.errors import InputError
from tandem.core.memory import Memory
from tandem.core.precision import wide_type
from tandem.core.types import SPECIAL_IDS, Hypothesis
from tandem.data.columns import SourceColumn
from tandem.data.features.base import Vectors
from tandem.data.preprocessing import Processors
from tandem.data.readers import SourceReader
from tandem.inference.decoding import Decoding, generate
from tandem.inference.inspection.inspection import Arrays, Inspection, OutputSeen, SourceSeen
from tandem.inference.inspection.lacks import lacks_of, summary_is_all
from tandem.inference.inspection.prefix import with_prefix
from tandem.inference.inspection.tree import SearchTree
from tandem.inference.inspection.watching import (
    Seen,
    attentions_of,
    decoder_watched,
    encoder_watched,
)
from tandem.inference.prompts import prompted
from tandem.models import Seq2Seq
from tandem.models.sequence_model import SequenceModel
from tandem.search.base import Step
from tandem.search.listening import Heard


@dataclass(frozen=True)
class Road:
    """What came by as a model read one source and wrote its outputs."""

    arrays: Arrays
    tree: SearchTree
    hypotheses: list[Hypothesis]
    """The best first."""


@torch.inference_mode()
def walk(
    model: SequenceModel,
    decoding: Decoding,
    source: Tensor,
    *,
    prefix: Sequence[int],
    max_length: int,
    rank: Callable[[list[Hypothesis]], list[Hypothesis]],
) -> Road:
    """Read a source, search, and write the best output once more.

    :param decoding: bound, if it holds texts.
    :param source: (1, S) ids or (1, S, width) vectors, without padding.
    :param prefix: see :meth:`tandem.inference.Bundle.inspect`.
    :param rank: puts into order what search found.
    :raises InputError: if no output can begin so, or the model does not tell single steps.
    """
    if model.searches_itself:
        raise InputError(
            "inspect() hears a search step by step, but the program that computes this model "
            "searches by itself; use the run that was exported, or an export with format=onnx."
        )
    decoding = with_prefix(
        decoding, prefix, vocabulary_size=model.vocabulary_size, max_length=max_length
    )
    mask = torch.ones(source.shape[:2], dtype=torch.bool, device=source.device)
    with _watched(model, encoder_watched) as encoder_seen:
        memory = model.encode(source, mask)
    tree, others = SearchTree(), decoding.listener

    def hear(heard: Heard) -> None:
        tree(heard)
        if others is not None:
            others(heard)

    hypotheses = rank(generate(model, replace(decoding, listener=hear), memory, max_length)[0])
    _check_begins(hypotheses[0], prefix)
    tree.settle(hypotheses)
    seen = {
        "source": source[0],
        **encoder_seen,
        "memory/states": memory.states[0, memory.mask[0]],
        "memory/summary": memory.summary[0],
        **_written(model, memory, hypotheses[0].tokens),
    }
    return Road({name: _array(tensor) for name, tensor in seen.items()}, tree, hypotheses)


def inspect_source(
    model: SequenceModel,
    processors: Processors,
    decoding: Decoding,
    column: SourceColumn,
    *,
    given: str,
    prefix: Sequence[int],
    max_length: int,
    rank: Callable[[list[Hypothesis]], list[Hypothesis]],
) -> Inspection:
    """See :meth:`tandem.inference.Bundle.inspect_of`, and :func:`walk`."""
    tensor, _ = column.batch(np.arange(1))
    tensor = tensor.to(model.device)
    road = walk(
        model,
        prompted(decoding, processors.source, tensor, max_length=max_length),
        tensor,
        prefix=prefix,
        max_length=max_length,
        rank=rank,
    )
    target = processors.target
    inspection = Inspection(
        source=_source_seen(model, processors.source, given, road.arrays),
        arrays=road.arrays,
        outputs=[
            OutputSeen(target.decode(one.tokens), target.tokens(one.tokens), one)
            for one in road.hypotheses
        ],
        prefix=list(prefix),
        tree=road.tree.nodes,
        width=decoding.width,
        vocabulary=target.tokens(list(range(target.vocabulary_size))),
        summary_alone=summary_is_all(model),
        parts=part_names(model, decoding),
        parameters=model.num_parameters(),
        lacks={},
    )
    return replace(inspection, lacks=lacks_of(model, inspection))


def _watched(
    model: SequenceModel, watched: Callable[[Seq2Seq], AbstractContextManager[Seen]]
) -> AbstractContextManager[Seen]:
    """Hooks, on what has modules; else nothing is seen."""
    return watched(model) if isinstance(model, Seq2Seq) else nullcontext({})


def _check_begins(best: Hypothesis, prefix: Sequence[int]) -> None:
    if best.tokens[: len(prefix)] != list(prefix):
        raise InputError(
            f"No output can begin with `prefix` ({list(prefix)}), as the search or a scorer rules "
            "it out; choose other symbols, or scorer=none."
        )


def _written(model: SequenceModel, memory: Memory, tokens: list[int]) -> Seen:
    """What the decoder makes as it writes an output, all of it at once: (T, ...) each."""
    written = torch.tensor([[SPECIAL_IDS.bos, *tokens[:-1]]], device=model.device)
    state = model.start(memory)
    with _watched(model, decoder_watched) as seen:
        predicted = model.decode(written, state)
    scores = model.scores(predicted.features, predicted.copied)[0]  # (T, V)
    result = {
        "decoder/tokens": torch.tensor(tokens),
        "decoder/log_probs": Step(model.step, model.normalized).log_probs(scores),
        **seen,
    }
    if isinstance(model, Seq2Seq):  # elsewhere they may be scores already
        result["decoder/features"] = predicted.features[0]
    if predicted.weights is not None:
        result["decoder/attention"] = predicted.weights()[0]
    return result


def _array(tensor: Tensor) -> Vectors:
    """On the host, numbers at least in float32."""
    wide = tensor.to(wide_type(tensor.dtype)) if tensor.is_floating_point() else tensor
    array: Vectors = wide.cpu().numpy()
    return array


def _source_seen(
    model: SequenceModel, reader: SourceReader, given: str, arrays: Arrays
) -> SourceSeen:
    read = arrays["source"]
    labels = reader.labels(read)
    grid = None
    if reader.media == "image" and isinstance(model, Seq2Seq):
        grid = model.grid(len(read))
    return SourceSeen(
        given=given,
        media=reader.media,
        tokens=labels,
        preview=reader.preview(read) if labels is None else None,
        grid=grid,
    )


def part_names(model: SequenceModel, decoding: Decoding) -> dict[str, str]:
    """The names of the classes that a model and its search are made of."""
    parts: dict[str, object] = {"search": decoding.search}
    if isinstance(model, Seq2Seq):
        parts |= {"frontend": model.frontend, "encoder": model.encoder, "decoder": model.decoder}
        parts |= zip(["attention"], attentions_of(model), strict=False)  # none in an own decoder
    return {name: type(part).__name__ for name, part in parts.items()}
