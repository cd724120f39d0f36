"""Low-rank adapters: they change nothing at first, are trained alone, and end up in the weights."""

import copy
import logging

import pytest
import torch
from torch import nn

from tandem.core.errors import InputError
from tandem.models import Seq2Seq
from tandem.testing import partners
from tandem.testing.case import Case, make_case
from tandem.training.adapters import LoRA, adapter_parameters
from tandem.training.optimizer_groups import GroupedOptimizer, parameter_groups


def lora(*modules: str, frozen: tuple[str, ...] = ("frontend", "encoder")) -> LoRA:
    return LoRA(rank=2, alpha=3, dropout=0.0, modules=modules, frozen=frozen)


@pytest.fixture
def case() -> Case:
    return make_case(partners.small_model(encoder=partners.transformer_encoder))


def outputs(model: Seq2Seq, case: Case) -> torch.Tensor:
    return model(case.source, case.mask, case.target)[..., 2:]


def test_training_moves_the_adapters_alone_and_merging_keeps_what_they_learnt(case: Case) -> None:
    model, before = copy.deepcopy(case.model), case.model.state_dict()
    untrained = outputs(model, case)
    lora("frontend", "encoder").inject(model.train())
    assert set(model.state_dict()) != set(before)
    assert torch.equal(outputs(model, case), untrained)
    trained = {
        name.partition(".")[0] for name, one in model.named_parameters() if one.requires_grad
    }
    assert trained == {"encoder", "decoder", "target_table", "output"}
    optimizer = torch.optim.SGD([one for one in model.parameters() if one.requires_grad], lr=0.1)
    for _ in range(2):  # the second reaches A, too
        optimizer.zero_grad()
        outputs(model, case).square().sum().backward()
        assert all(one.grad is not None for one in adapter_parameters(model))
        optimizer.step()
    learnt = outputs(model, case)
    assert not torch.allclose(learnt, untrained, atol=0.01)
    lora().merge(model)
    after = model.state_dict()
    assert list(after) == list(before)
    torch.testing.assert_close(outputs(model, case), learnt, rtol=0, atol=1e-12)
    moved = {name for name, weight in after.items() if not torch.equal(weight, before[name])}
    parts = {name for name in moved if name.startswith(("frontend", "encoder"))}
    assert parts == {
        f"encoder.layers.0.{name}.weight"
        for name in (
            "attention.project",
            "attention.output",
            "feed_forward.expand",
            "feed_forward.contract",
        )
    }


def test_patterns(case: Case) -> None:
    lora("encoder.*.project", "decoder", frozen=("*.norm*", "target_table")).inject(case.model)
    names = [name for name, one in case.model.named_parameters() if one.requires_grad]
    adapted = {name.partition(".lora_")[0] for name in names if ".lora_A" in name}
    assert {name.partition(".")[0] for name in adapted} == {"encoder", "decoder"}
    assert "encoder.layers.0.attention.project" in adapted
    assert "encoder.layers.0.attention.output.weight" in names
    assert "target_table.weight" not in names


def test_other_groups_of_the_optimizer(case: Case) -> None:
    """An adapter may have a learning rate of its own, but none may be frozen for good."""
    lora("encoder").inject(case.model)
    groups = parameter_groups({"*.lora_*": {"lr_factor": 10.0}, "decoder": {"frozen": True}})
    optimizers = GroupedOptimizer(lambda specs: torch.optim.SGD(specs, lr=0.1), groups)
    optimizers.freeze(case.model)
    lora().check(case.model)
    assert sorted(group["lr"] for group in optimizers(case.model).param_groups) == [0.1, 1.0]
    GroupedOptimizer(optimizers.optimizer, parameter_groups({"encoder": {"frozen": True}})).freeze(
        case.model
    )
    with pytest.raises(InputError, match=r"but optimizer\.groups freezes them; leave the parts"):
        lora().check(case.model)


def test_nothing_to_adapt() -> None:
    model = partners.small_model()  # a GRU encoder
    message = (
        r"`adapter\.modules` \(frontend, encoder\) must mean linear layers of this model, but "
        r"means none \(its linear layers are decoder\.\S+, .* and \d+ more\); choose other patterns"
    )
    with pytest.raises(InputError, match=message):
        lora("frontend", "encoder").inject(model)


def test_layers_of_transformers(caplog: pytest.LogCaptureFixture) -> None:
    """GPT-2 keeps its matrices transposed."""
    from transformers import BertConfig, BertModel, GPT2Config, GPT2Model

    sizes = {"vocab_size": 9, "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2}
    bert = BertModel(BertConfig(**sizes, intermediate_size=8), add_pooling_layer=False)
    gpt = GPT2Model(GPT2Config(vocab_size=9, n_embd=8, n_layer=1, n_head=2, n_positions=9))
    model = nn.ModuleDict({"encoder": bert, "decoder": gpt}).eval()
    ids = torch.tensor([[1, 2, 3]])

    def states() -> torch.Tensor:
        return torch.cat([part(input_ids=ids).last_hidden_state for part in model.values()])

    names, untrained = list(model.state_dict()), states()
    lora("encoder", "decoder", frozen=("encoder", "decoder")).inject(model)
    torch.testing.assert_close(states(), untrained)
    with caplog.at_level(logging.WARNING):
        lora().merge(copy.deepcopy(model))
    assert "10 adapters have learnt nothing" in caplog.text
    for parameter in adapter_parameters(model):
        nn.init.normal_(parameter)
    learnt = states()
    assert not torch.allclose(learnt, untrained, atol=0.01)
    lora().merge(model)
    torch.testing.assert_close(states(), learnt, rtol=0, atol=1e-5)
    assert list(model.state_dict()) == names
