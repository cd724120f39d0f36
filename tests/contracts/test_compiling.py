"""Layers compile: one graph for all alike, whatever the sizes of batches, with the same results."""

import copy
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor
from torch._dynamo.testing import CompileCounterWithBackend
from torch._dynamo.utils import counters

from tandem.layers.region import regions
from tandem.models import Seq2Seq
from tandem.testing.case import Case
from tandem.testing.compare import expect_equal
from tandem.training.compiling import compile_model

pytestmark = pytest.mark.filterwarnings("ignore:The .grad attribute:UserWarning")
SIZES = ((3, 7), (2, 5), (3, 4))
"""Sources and target positions of some batches."""


@pytest.fixture(autouse=True)
def _fresh_compiler() -> Iterator[None]:
    """Without graphs of other tests, whose number is limited."""
    torch.compiler.reset()
    counters.clear()
    yield
    torch.compiler.reset()


def test_one_graph_serves_all_layers_and_sizes(layers_case) -> None:
    model = copy.deepcopy(layers_case.model).train()
    backend = CompileCounterWithBackend("eager")
    compile_model(model, backend)
    functions = {
        getattr(type(module), name) for module, name, compiles in regions(model) if compiles
    }
    for size in SIZES:
        gradients(model, layers_case, *size)
    assert not counters["graph_break"]
    assert backend.frame_count == len(functions)
    for size in SIZES[:2]:
        actual = gradients(model.eval(), layers_case, *size)
        expected = gradients(copy.deepcopy(layers_case.model).eval(), layers_case, *size)
        for name, gradient in expected.items():
            expect_equal(actual[name], gradient, f"The gradient of {name} must be the same.")
    with torch.no_grad():
        model(layers_case.source, layers_case.mask, layers_case.target)
    assert backend.frame_count == 2 * len(functions)  # for training and for evaluation mode


def gradients(model: Seq2Seq, case: Case, sources: int, length: int) -> dict[str, Tensor]:
    """Of a pass over some of the sources and target positions."""
    model.zero_grad()
    scores = model(case.source[:sources], case.mask[:sources], case.target[:sources, :length])
    scores[..., 2:].log_softmax(-1).square().sum().backward()
    return {
        name: parameter.grad
        for name, parameter in model.named_parameters()
        if parameter.grad is not None
    }
