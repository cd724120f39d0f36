"""What is seen of every family is what a pass computes, in the shapes that are documented."""

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tandem.encoders import CNNEncoder
from tandem.inference.decoding import Decoding
from tandem.inference.inspection.inspection import Inspection, SourceSeen
from tandem.inference.inspection.lacks import lacks_of, summary_is_all
from tandem.inference.inspection.road import Road, walk
from tandem.layers.convolution import SQRT_HALF
from tandem.models import Seq2Seq
from tandem.search import BeamSearch
from tandem.testing.case import Case

DOCUMENT = (Path(__file__).parents[2] / "docs/guides/inspect.md").read_text(encoding="utf-8")
LAYERS = ("encoder/layer", "decoder/layer")
ROW = 2
"""The source that is looked at."""


def documented() -> dict[str, list[list[str]]]:
    """Names of arrays, and the letters of their shapes."""
    rows = re.findall(r"^\| `([^`]+)` \| (\([^|]+\)) \|", DOCUMENT, re.MULTILINE)
    return {name: [re.findall(r"\w'?", one) for one in shape.split("or")] for name, shape in rows}


def generic(name: str) -> str:
    """The name of an array in the table, which counts no layers."""
    return re.sub(r"layer_\d+", "layer_N", name)


def road_of(case: Case) -> Road:
    return walk(
        case.model,
        Decoding(BeamSearch(width=3, length_penalty="average", alpha=1.0, stop="pool")),
        case.source[ROW : ROW + 1, case.mask[ROW]],
        prefix=(),
        max_length=6,
        rank=lambda hypotheses: hypotheses,
    )


def handed_over(model: Seq2Seq, arrays: dict[str, Any], last: torch.Tensor) -> torch.Tensor:
    """The memory's states, from those of the last layer."""
    encoder = model.encoder
    if isinstance(encoder, CNNEncoder):
        embeddings = torch.from_numpy(arrays["embeddings"])[None]
        embedded = encoder.input(encoder.positions(embeddings.to(last.device), 0))[0]
        return (last + embedded) * SQRT_HALF
    norm = getattr(encoder, "norm", None)
    return last if norm is None else norm(last)


@torch.inference_mode()
def test_what_is_seen_is_what_is_computed(option_case: Case) -> None:
    case, road = option_case, road_of(option_case)
    arrays, model = road.arrays, option_case.model
    memory = model.encode(case.source, case.mask)
    real = memory.mask[ROW]
    states = [name for name in arrays if re.fullmatch(r"encoder/layer_\d+/states", name)]
    assert states == [f"encoder/layer_{number}/states" for number in (1, 2)]
    last = torch.from_numpy(arrays[states[-1]]).to(case.device)
    expected = handed_over(model, arrays, last)
    for actual in (arrays["memory/states"], memory.states[ROW, real].cpu().numpy()):
        np.testing.assert_allclose(actual, expected.cpu().numpy(), rtol=0, atol=1e-12)
    summary = memory.summary[ROW].cpu().numpy()
    np.testing.assert_allclose(arrays["memory/summary"], summary, rtol=0, atol=1e-12)
    tokens = arrays["decoder/tokens"]
    assert tokens.tolist() == road.hypotheses[0].tokens
    log_prob = arrays["decoder/log_probs"][np.arange(len(tokens)), tokens].sum()
    mean = log_prob / len(tokens)
    assert math.isclose(mean, road.hypotheses[0].score, rel_tol=1e-5, abs_tol=1e-9)
    assert all(not module._forward_hooks for module in model.modules())


@torch.inference_mode()
def test_arrays_have_the_documented_shapes(option_case: Case) -> None:
    arrays = road_of(option_case).arrays
    sizes: dict[str, int] = {}
    for name, array in arrays.items():
        (letters,) = (one for one in documented()[generic(name)] if len(one) == array.ndim)
        for letter, size in zip(letters, array.shape, strict=True):
            assert sizes.setdefault(letter, size) == size, (name, array.shape, sizes)
        if name == "decoder/log_probs":
            assert np.isneginf(array[:, :2]).all()
            array = array[:, 2:]
        assert np.isfinite(array).all(), name
    for name, array in arrays.items():
        if name.endswith("attention"):
            sums = array.sum(-1)
            assert (array >= 0).all()
            assert (sums <= 1 + 1e-9).all()
            if "self" in name:
                np.testing.assert_allclose(sums, 1, rtol=0, atol=1e-9)
        if name.startswith("decoder/layer") and name.endswith("self_attention"):
            assert (np.triu(array, 1) == 0).all()


def of_part(group: str, name: str) -> bool:
    """Whether an array is there because of the choice of an encoder, a decoder or an attention."""
    return (
        name == "decoder/attention" if group == "attention" else name.startswith(f"{group}/layer")
    )


def test_the_table_of_what_each_part_has(cases_of_options: dict[tuple[str, str], Case]) -> None:
    table, common = "| option | arrays |\n|---|---|\n", set()
    for (group, option), case in cases_of_options.items():
        names = dict.fromkeys(map(generic, road_of(case).arrays))
        own = [f"`{name}`" for name in names if of_part(group, name)]
        table += f"| `{group}={option}` | {', '.join(own) or 'none'} |\n"
        common.add(frozenset(name for name in names if not name.startswith(LAYERS)))
    assert table in DOCUMENT
    assert len(common) == 2  # with and without attention


def test_what_is_not_there_is_said(cases_of_options: dict[tuple[str, str], Case]) -> None:
    for (_, option), case in cases_of_options.items():
        arrays = road_of(case).arrays
        seen = Inspection(
            source=SourceSeen("a", "text", ["a"], None, None),
            arrays=arrays,
            outputs=[],
            prefix=[],
            tree=[],
            width=3,
            vocabulary=[],
            summary_alone=summary_is_all(case.model),
            parts={"encoder": "E", "decoder": "D", "search": "S"},
            parameters=None,
            lacks={},
        )
        lacks = lacks_of(case.model, seen)
        names = set(map(generic, arrays))
        assert lacks.keys() - {"source_picture"} == {
            key
            for key, is_said in {
                "encoder_layers": "encoder/layer_N/states" not in names,
                "encoder_self_attention": "encoder/layer_N/self_attention" not in names,
                "decoder_layers": "decoder/layer_N/states" not in names,
                "decoder_self_attention": "decoder/layer_N/self_attention" not in names,
                "decoder_attention": "decoder/attention" not in names,
                "decoder_attention_layers": "decoder/layer_N/attention" in names,
                "decoder_attention_window": option.startswith("local"),
            }.items()
            if is_said
        }, option
        assert all(re.fullmatch(r"[A-Z][^\n]+\.", sentence) for sentence in lacks.values())
        assert seen.summary_alone == (option == "none")
