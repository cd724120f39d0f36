"""Compiling the layers of a model."""

import copy
import logging
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch._dynamo.testing import CompileCounterWithBackend

from tandem.attentions import LocationAttention
from tandem.core.errors import InputError
from tandem.core.types import Batch
from tandem.encoders import TransformerEncoder
from tandem.models import Seq2Seq
from tandem.testing import partners
from tandem.training.activation_checkpointing import checkpoint_activations
from tandem.training.compiling import check_compiler, compile_model
from tandem.training.layer_drop import LayerDrop
from tandem.training.objective import Objective

pytestmark = [
    pytest.mark.filterwarnings("ignore:The .grad attribute:UserWarning"),
    pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning"),
]
LAYERS = partners.transformer_layers | {"positions": "rotary"}
LOCATION = partial(LocationAttention, size=4, num_filters=2, kernel_size=3, cumulative=False)


@pytest.fixture(autouse=True)
def _fresh_compiler() -> Iterator[None]:
    """Without graphs of other tests, whose number is limited."""
    torch.compiler.reset()
    yield
    torch.compiler.reset()


def transformer(dropout: float = 0.0, num_layers: int = 2) -> Seq2Seq:
    """A Transformer encoder with rotary positions before a GRU."""
    torch.manual_seed(0)
    options = LAYERS | {"dropout": dropout, "attention_dropout": dropout}
    encoder = partial(TransformerEncoder, num_layers=num_layers, **options)
    return partners.small_model(encoder=encoder).double().train()


def gradients(model: Seq2Seq, batch: Batch, r_drop_weight: float = 0.0) -> dict[str, Tensor]:
    """The loss of a batch, and its gradients."""
    torch.manual_seed(1)
    objective = Objective(
        smoothing=0.1,
        ctc_weight=0.0,
        coverage_weight=0.0,
        r_drop_weight=r_drop_weight,
        teacher=None,
        teacher_weight=0.5,
        teacher_temperature=1.0,
    )
    tensors = {
        name: value.clamp(max=5)  # symbols that the partners know
        for name, value in batch._asdict().items()
        if name in ("source", "target_in", "target_out")
    }
    losses = objective(model, batch._replace(**tensors))
    losses["loss"].backward()
    return {
        "loss": losses["loss"].detach(),
        **{name: value.grad for name, value in model.named_parameters() if value.grad is not None},
    }


def assert_same(actual: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    torch.testing.assert_close(actual, expected, rtol=0, atol=1e-10)


@pytest.mark.slow
def test_kernels_for_this_machine_have_the_same_losses_and_gradients(batch) -> None:
    model, compiled = transformer(num_layers=1), transformer(num_layers=1)
    compile_model(compiled)
    assert list(compiled.state_dict()) == list(model.state_dict())
    assert_same(gradients(compiled, batch), gradients(model, batch))


def test_compiled_layers_are_recomputed_with_the_same_dropout(batch) -> None:
    model, recomputing = transformer(dropout=0.3), transformer(dropout=0.3)
    for one in (model, recomputing):
        compile_model(one, "aot_eager")
    checkpoint_activations(recomputing)
    assert_same(gradients(recomputing, batch, 1.0), gradients(model, batch, 1.0))


def test_layers_are_still_skipped_and_one_graph_is_enough_for_that(batch) -> None:
    model, compiled = transformer(), transformer()
    backend = CompileCounterWithBackend("eager")
    compile_model(compiled, backend)
    noises = [(one, LayerDrop(probability=0.5)) for one in (model, compiled)]
    losses = []
    for seed in range(4):
        for one, noise in noises:
            torch.manual_seed(seed)
            noise(one, batch, 0)
            losses.append(gradients(one, batch)["loss"])
    torch.testing.assert_close(losses[1::2], losses[::2], rtol=0, atol=1e-10)
    assert len({round(float(loss), 9) for loss in losses}) > 2
    assert backend.frame_count == 1


def test_a_copy_has_its_own_weights(batch) -> None:
    model = transformer()
    compile_model(model, "eager")
    before = gradients(model, batch)["loss"]
    twin = copy.deepcopy(model)
    for parameter in twin.encoder.parameters():
        nn.init.normal_(parameter)
    assert abs(gradients(twin, batch)["loss"] - before) > 1e-3
    model.zero_grad()
    assert_same({"loss": gradients(model, batch)["loss"]}, {"loss": before})


def test_it_is_said_what_stays_as_it_is(caplog) -> None:
    model = partners.small_model(
        encoder=partners.transformer_encoder,
        decoder=partners.transformer_decoder(attention=LOCATION),
    )
    with caplog.at_level(logging.INFO):
        compile_model(model, "eager")
        compile_model(partners.small_model(), "eager")
    assert caplog.messages == [
        "Compiled: 1 x TransformerEncoderLayer; not compiled: 2 x TransformerDecoderLayer",
        "Compiled: nothing; not compiled: 1 x RecurrentDecoder, 1 x RecurrentEncoder",
    ]


def test_a_machine_without_compiler_is_told_before_training(monkeypatch) -> None:
    def fail(function: Any, **options: Any) -> Any:
        raise RuntimeError("No working C++ compiler found in the configuration.")

    monkeypatch.setattr(torch, "compile", fail)
    with pytest.raises(InputError) as error:
        check_compiler(torch.device("cpu"))
    assert str(error.value) == (
        "model.compile=true cannot work here, as torch.compile fails on cpu (No working C++ "
        "compiler found in the configuration); install a compiler (g++ for a CPU, Triton for a "
        "GPU), or set model.compile=false."
    )
