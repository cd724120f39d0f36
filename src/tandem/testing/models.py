"""Checks of the parts that a model is assembled from, each beside several others."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from tandem.attentions import NoAttention
from tandem.attentions.base import Attention
from tandem.bridges.base import Bridge
from tandem.core.masks import lengths_to_mask
from tandem.core.memory import Memory
from tandem.decoders.base import Decoder
from tandem.encoders.base import Encoder
from tandem.frontends.base import Frontend
from tandem.models import Seq2Seq
from tandem.search import BeamSearch
from tandem.testing import gradients, padding, parity, partners, precision, rows, searching
from tandem.testing.case import make_case
from tandem.testing.compare import expect
from tandem.testing.sources import VOCABULARY, source_kind

BATCH, LENGTH = 3, 5
SIZE = partners.SIZE


def check_model(model: Seq2Seq, *, source_size: int = VOCABULARY) -> None:
    """Check every contract of a whole model.

    :param model: with 6 target symbols, and sizes of about 8; its weights are drawn anew.
    :param source_size: 6 symbols of a text, or the size of a vector.
    :raises AssertionError: with the first promise that it breaks.
    """
    case = make_case(model, source_size=source_size)
    try:
        parity.calls_are_independent(case)
        padding.is_invisible(case, 0)
        padding.is_invisible(case, 3)
        padding.gets_no_weight(case)
        padding.the_first_position_matters(case)
        parity.nothing_follows_from_the_future(case)
        parity.steps_equal_one_pass(case)
        parity.chunks_equal_one_pass(case)
        parity.a_symbol_changes_what_follows(case)
        rows.repeat_after_some_steps(case)
        rows.hypotheses_do_not_see_each_other(case)
        rows.reorder_carries_each_hypothesis_along(case)
        rows.reorder_at_every_step(case)
        rows.select_equals_never_having_had_the_others(case)
        gradients.reaches_every_parameter(case)
        for dtype in (torch.bfloat16, torch.float16, torch.float64):
            precision.trains(case, dtype)
            precision.searches(case, dtype)
        precision.runs_mixed(case)
        outputs = searching.all_outputs()
        searching.finds_all(case, _beam(len(outputs)), outputs)
        searching.scores_equal_teacher_forcing(case, _beam(3))
    except Exception as error:
        error.add_note(
            f"In a model of {type(model.frontend).__name__}, {type(model.encoder).__name__} and "
            f"{type(model.decoder).__name__}."
        )
        raise


def check_encoder(make: Callable[..., Encoder]) -> None:
    """Check an encoder beside a GRU, a Transformer, and a decoder that reads its summary alone.

    :param make: makes it from ``input_size``, as its config does; a size of about 8 is enough.
    :raises AssertionError: with the first promise that it breaks.
    """
    encoder = make(input_size=SIZE)
    mask = lengths_to_mask(torch.tensor([LENGTH, 1, 3]), LENGTH)
    memory = encoder(torch.randn(BATCH, LENGTH, SIZE), mask)
    _expect_output_size(encoder, memory.states, "states")
    _expect_output_size(encoder, memory.summary, "summary")
    _expect_mask(encoder, memory.mask, memory.states)
    _expect_layer_outputs(encoder, mask)
    for decoder in (
        partners.recurrent_decoder(),
        partners.transformer_decoder(),
        partners.recurrent_decoder(attention=NoAttention),
    ):
        check_model(partners.small_model(encoder=make, decoder=decoder))


def check_decoder(make: Callable[..., Decoder]) -> None:
    """Check a decoder behind a GRU and a Transformer encoder.

    :param make: makes it from ``input_size`` and ``memory_size``, as its config does, with an
        attention of its own; a size of about 8 is enough.
    :raises AssertionError: with the first promise that it breaks.
    """
    decoder = make(input_size=SIZE, memory_size=SIZE)
    state = decoder.start(_memory())
    _expect_output_size(decoder, decoder(torch.randn(BATCH, 2, SIZE), state).features, "features")
    for encoder in (partners.gru_encoder, partners.transformer_encoder):
        check_model(partners.small_model(encoder=encoder, decoder=make))


def check_attention(make: Callable[..., Attention]) -> None:
    """Check an attention in GRU decoders with and without input feeding, and in a Transformer's.

    :param make: makes it from ``query_size`` and ``memory_size``, as its config does.
    :raises AssertionError: with the first promise that it breaks.
    """
    attention = make(query_size=SIZE, memory_size=SIZE)
    state = attention.start(_memory())
    attended = attention(torch.randn(BATCH, 2, SIZE), state)
    _expect_output_size(attention, attended.context, "context")
    for decoder in (
        partners.recurrent_decoder(attention=make),
        partners.recurrent_decoder(attention=make, input_feeding=True),
        partners.transformer_decoder(attention=make),
    ):
        check_model(partners.small_model(decoder=decoder))


def check_bridge(make: Callable[..., Bridge]) -> None:
    """Check a bridge before a GRU and an LSTM.

    :param make: makes it from ``memory_size``, ``slots`` and ``hidden_size``, as its config does.
    :raises AssertionError: with the first promise that it breaks.
    """
    bridge = make(memory_size=SIZE, slots=4, hidden_size=SIZE)
    shape = tuple(bridge(torch.randn(BATCH, SIZE)).shape)
    expect(
        shape == (BATCH, 4, SIZE),
        f"{type(bridge).__name__} must make (B, slots, H) = {(BATCH, 4, SIZE)} of a summary, but "
        f"makes {shape}.",
    )
    for cell in ("gru", "lstm"):
        decoder = partners.recurrent_decoder(bridge=make, cell=cell)
        check_model(partners.small_model(decoder=decoder))


def check_frontend(make: Callable[..., Frontend], *, source_size: int = VOCABULARY) -> None:
    """Check a frontend before a GRU and a Transformer encoder.

    Its ``media`` says what it reads: ids of a text; rows of pixels, at most 11, for ``image``;
    else up to 18 vectors of any numbers.

    :param make: makes it from ``source_size``, as its config does.
    :param source_size: size of a vector; 6 symbols of a text.
    :raises AssertionError: with the first promise that it breaks.
    """
    frontend = make(source_size=source_size)
    kind = source_kind(frontend.media)
    length = max(kind.lengths)
    source = kind.draw((BATCH, length), source_size, torch.Generator().manual_seed(0))
    lengths = torch.tensor(kind.lengths)
    inputs, mask = frontend.double()(source, lengths_to_mask(lengths, length))
    _expect_output_size(frontend, inputs, "vectors")
    _expect_mask(frontend, mask, inputs)
    if frontend.media == "image":
        height, width = frontend.grid(length)
        expect(
            height * width == inputs.size(1),
            f"{type(frontend).__name__}.grid must say how many rows and columns {length} rows of "
            f"pixels become, but {height} x {width} are not {inputs.size(1)} positions.",
        )
    for encoder in (partners.gru_encoder, partners.transformer_encoder):
        model = partners.small_model(frontend=make, encoder=encoder, source_size=source_size)
        check_model(model, source_size=source_size)


def _beam(width: int) -> BeamSearch:
    return BeamSearch(width=width, length_penalty="none", alpha=0.0, stop="pool")


def _memory() -> Memory:
    """Three sources."""
    mask = lengths_to_mask(torch.tensor([LENGTH, 1, 3]), LENGTH)
    return Memory(torch.randn(BATCH, LENGTH, SIZE), mask, torch.randn(BATCH, SIZE))


def _expect_output_size(
    part: Encoder | Decoder | Attention | Frontend, made: Tensor, what: str
) -> None:
    size = getattr(part, "output_size", None)
    expect(
        size == made.size(-1),
        f"{type(part).__name__}.output_size ({size}) must be the size of its {what}, which is "
        f"{made.size(-1)}; set it in the constructor.",
    )


def _expect_layer_outputs(encoder: Encoder, mask: Tensor) -> None:
    """One call of each a pass, which returns a vector for each position."""
    outputs = encoder.layer_outputs
    calls: list[list[Any]] = [[] for _ in outputs]
    handles = [
        layer.register_forward_hook(lambda module, given, result, seen=seen: seen.append(result))
        for layer, seen in zip(outputs, calls, strict=True)
    ]
    memory = encoder(torch.randn(*mask.shape, SIZE), mask)
    for handle in handles:
        handle.remove()
    for number, results in enumerate(calls, start=1):
        expect(
            len(results) == 1
            and isinstance(results[0], Tensor)
            and results[0].shape[:2] == memory.mask.shape,
            f"{type(encoder).__name__}.layer_outputs must list modules that a pass calls once and "
            f"that return states (B, S, H), but module {number} was called {len(results)} times or "
            "returns something else; leave it out.",
        )


def _expect_mask(part: Encoder | Frontend, mask: Tensor, made: Tensor) -> None:
    expect(
        mask.dtype == torch.bool and mask.shape == made.shape[:2] and bool(mask.any(1).all()),
        f"{type(part).__name__} must return a mask of bool for its {tuple(made.shape[:2])} "
        f"positions, True at one or more of each source, but returns {mask.dtype} of "
        f"{tuple(mask.shape)}.",
    )
