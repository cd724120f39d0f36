"""What a description of graphs says, and what is refused."""

from functools import partial
from pathlib import Path
from typing import Any

import onnx
import pytest
import torch
from torch import Tensor

from tandem.core.errors import InputError
from tandem.encoders import TransformerEncoder
from tandem.encoders.base import Encoder
from tandem.export.graphs import take_apart
from tandem.export.write import write_graphs
from tandem.testing import partners
from tandem.testing.sources import VOCABULARY

TRANSFORMER = partners.transformer_decoder(attention=partners.multi_head)


def small_model(decoder: Any) -> Any:
    return partners.small_model(decoder=decoder).eval()


def names(specs: list[dict[str, Any]]) -> list[str]:
    return [spec["name"] for spec in specs]


def test_a_state_is_what_scores_depend_on() -> None:
    parts = take_apart(small_model(TRANSFORMER), source_size=VOCABULARY)
    description = parts.description({})
    caches = [f"cache_{place}" for place in range(4)]  # keys and values of two layers
    memories = [f"memory_{place}" for place in range(5)]  # theirs, and the mask that they share
    rows = {one["name"]: one["rows"] for one in description["state"]}
    assert rows == dict.fromkeys(caches, "hypotheses") | dict.fromkeys(memories, "sources")
    assert description["position"]
    shapes = {spec["name"]: spec["shape"] for spec in description["inputs"]["step"]}
    assert shapes["cache_0"] == ("hypotheses", 2, "past", 4)
    assert shapes["memory_0"] == ("sources", 2, "positions", 4)
    assert names(description["outputs"]["step"]) == [
        "scores",
        "weights",
        *(f"next_{name}" for name in caches),
    ]


def test_what_was_fed_back_is_left_out_where_nothing_is_fed() -> None:
    without, with_feeding = (
        take_apart(
            small_model(partners.recurrent_decoder(input_feeding=feeding)), source_size=VOCABULARY
        ).description({})
        for feeding in (False, True)
    )
    assert not without["position"]
    assert [one["name"] for one in without["state"]].count("carry_1") == 0
    assert [one["name"] for one in with_feeding["state"]].count("carry_1") == 1


def test_a_file_names_its_axes_and_nothing_of_this_machine(tmp_path: Path) -> None:
    model = small_model(partners.recurrent_decoder())
    description = write_graphs(model, tmp_path, format="onnx", source_size=VOCABULARY)
    path = tmp_path / description["graphs"]["step"]
    graph = onnx.load(path).graph
    for key, values in (("inputs", graph.input), ("outputs", graph.output)):
        specs = description[key]["step"]
        assert [value.name for value in values] == names(specs)
        for value, spec in zip(values, specs, strict=True):
            sizes = [one.dim_param or one.dim_value for one in value.type.tensor_type.shape.dim]
            assert sizes == list(spec["shape"])
    assert b".py" not in path.read_bytes()
    assert not {one.name for one in graph.initializer} & {"model.frontend.table.weight"}


def test_a_program_holds_only_what_its_graph_reads(tmp_path: Path) -> None:
    model = small_model(partners.recurrent_decoder())
    description = write_graphs(model, tmp_path, format="torch", source_size=VOCABULARY)
    stored = {
        name: set(torch.export.load(tmp_path / file).state_dict)
        for name, file in description["graphs"].items()
    }
    assert "model.target_table.weight" in stored["step"] - stored["encoder"] - stored["start"]
    assert "model.frontend.table.weight" in stored["encoder"] - stored["step"] - stored["start"]


class Looking(Encoder):
    """Does otherwise if numbers are otherwise."""

    def __init__(self, inner: Any, input_size: int) -> None:
        super().__init__()
        self.inner = inner(input_size=input_size)
        self.output_size = self.inner.output_size

    def forward(self, inputs: Tensor, mask: Tensor) -> Any:
        return self.inner(inputs if inputs.sum() > 0 else -inputs, mask)


def test_a_part_that_cannot_be_traced_is_refused_in_a_sentence(tmp_path: Path) -> None:
    encoder = partial(Looking, partners.gru_encoder)
    model = partners.small_model(encoder=encoder, decoder=TRANSFORMER).eval()
    with pytest.raises(InputError, match=r"cannot be written as format=onnx .*; let its code not"):
        write_graphs(model, tmp_path, format="onnx", source_size=VOCABULARY)


def test_weights_too_large_for_a_file_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tandem.export.onnx.MOST_BYTES", 10)
    with pytest.raises(InputError, match=r"encoder has weights of 0.0 GB, but .* 2 GB; choose"):
        write_graphs(partners.small_model(), tmp_path, format="onnx", source_size=VOCABULARY)


def test_a_model_of_the_shortest_sources_is_refused() -> None:
    layers = partners.transformer_layers | {"positions": "learned", "max_length": 2}
    encoder = partial(TransformerEncoder, num_layers=1, **layers)
    model = partners.small_model(encoder=encoder).eval()
    with pytest.raises(InputError, match="reads no source of 4 positions, so it cannot"):
        take_apart(model, source_size=VOCABULARY)
