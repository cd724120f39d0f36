"""Parts of a model with a learning rate of their own, or none."""

import copy
from functools import partial
from typing import Any

import pytest
import torch
from omegaconf import OmegaConf
from torch import nn

from tandem.config.catalogue import config_groups
from tandem.config.folders import config_folder
from tandem.config.instantiate import make as build
from tandem.core.errors import InputError
from tandem.core.types import Batch
from tandem.training.optimizer_groups import GroupedOptimizer, parameter_groups

ADAMW = partial(torch.optim.AdamW, lr=0.1, weight_decay=0.01)


def grouped(**groups: Any) -> GroupedOptimizer:
    spec = {name.replace("__", "."): options for name, options in groups.items()}
    return GroupedOptimizer(ADAMW, parameter_groups(spec))


def rates(optimizer: torch.optim.Optimizer, model: nn.Module) -> dict[str, tuple[float, float]]:
    """Learning rate and weight decay of each parameter that the optimizer has."""
    by_parameter = {
        parameter: (options["lr"], options["weight_decay"])
        for options in optimizer.param_groups
        for parameter in options["params"]
    }
    return {
        name: by_parameter[parameter]
        for name, parameter in model.named_parameters()
        if parameter in by_parameter
    }


def test_without_groups_all_are_alike(make) -> None:
    model = make()
    optimizer = grouped()(model)
    assert set(rates(optimizer, model).values()) == {(0.1, 0.01)}
    assert len(rates(optimizer, model)) == len(list(model.parameters()))


def test_the_first_pattern_that_matches_counts(make) -> None:
    model = make()
    groups = {
        "*.bias*": {"weight_decay": 0.0},
        "encoder": {"lr_factor": 0.5},
        "*": {"lr_factor": 2.0},
    }
    optimizer = GroupedOptimizer(ADAMW, parameter_groups(groups))(model)
    for name, found in rates(optimizer, model).items():
        if ".bias" in name:
            assert found == (0.1, 0.0)
        else:
            assert found == (0.05 if name.startswith("encoder.") else 0.2, 0.01)


def test_a_schedule_keeps_the_factors(make) -> None:
    model = make()
    optimizer = grouped(encoder={"lr_factor": 0.5})(model)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 / (1 + step))
    for _ in range(3):
        optimizer.step()
        schedule.step()
    assert sorted({rate for rate, _ in rates(optimizer, model).values()}) == [0.0125, 0.025]


def test_a_frozen_part_does_not_move_and_drops_nothing_out(make) -> None:
    model = make()
    optimizers = grouped(encoder={"frozen": True}, frontend__table={"frozen": True})
    optimizers.freeze(model)
    frozen = {name for name, parameter in model.named_parameters() if not parameter.requires_grad}
    assert frozen == {
        name for name, _ in model.named_parameters() if name.startswith(("encoder.", "frontend."))
    }
    assert not model.encoder.training
    assert not model.encoder.stack.training
    assert not model.frontend.training  # all of its parameters are frozen
    assert model.decoder.training
    assert model.training
    assert not frozen & rates(optimizers(model), model).keys()


@pytest.mark.parametrize("option", config_groups()["optimizer"])
def test_a_part_is_frozen_for_some_steps(make, batch: Batch, option: str) -> None:
    """Layer by layer: of each, statistics begin when it thaws, and the learning rate is the one
    that the schedule has by then.
    """
    spec = OmegaConf.load(config_folder() / "optimizer" / f"{option}.yaml")
    groups = {"decoder": {"frozen": 2, "lr_factor": 0.5}, "encoder": {"frozen": 1}}
    optimizers = GroupedOptimizer(build(spec), parameter_groups(groups))
    model = make()
    optimizers.freeze(model)
    optimizer = optimizers(model)
    assert list(optimizers.trained(model)) == [name for name, _ in model.named_parameters()]
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 / (1 + step))
    moved, modes = [], []
    for step in range(4):
        thawed = optimizers.thaw(model, step)
        assert {name.partition(".")[0] for name in thawed} == {1: {"encoder"}, 2: {"decoder"}}.get(
            step, set()
        )
        modes.append((model.encoder.training, model.decoder.training, model.training))
        before = copy.deepcopy(model.state_dict())
        loss = model(batch.source, batch.source_mask, batch.target_in)[..., 2:].square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        after = model.state_dict()
        moved.append(
            {name.partition(".")[0] for name in after if not after[name].equal(before[name])}
        )
        optimizer.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    assert moved[0] == {"frontend", "target_table", "output"}
    assert moved[1] == moved[0] | {"encoder"}
    assert moved[2] == moved[3] == moved[1] | {"decoder"}
    assert modes[0] == (False, False, True)
    assert modes[1:3] == [(True, False, True), (True, True, True)]
    shares = sorted(options["lr"] / spec.lr for options in optimizer.param_groups)
    assert shares == pytest.approx([1 / 10, 1 / 5, 1 / 5])


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ({"encodr": {"frozen": True}}, "the pattern 'encodr', which is the first match of no"),
        ({"*": {"frozen": True}}, "optimizer.groups freezes every parameter"),
    ],
)
def test_patterns_that_make_no_sense(make, groups: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message.replace("*", ".")):
        GroupedOptimizer(ADAMW, parameter_groups(groups)).freeze(make())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "must give each pattern some of lr_factor, weight_decay, frozen"),
        ({"rate": 1}, "but encoder has {'rate': 1}"),
        ({"lr_factor": -1}, "optimizer.groups.encoder.lr_factor must be a number of at least 0"),
        ({"weight_decay": "x"}, "optimizer.groups.encoder.weight_decay must be a number"),
        (
            {"frozen": 0},
            "optimizer.groups.encoder.frozen must be true, false, or for how many steps",
        ),
        ({"frozen": 0.5}, "(a whole number of at least 1), but is 0.5."),
    ],
)
def test_options_that_are_none(options: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError) as caught:
        parameter_groups({"encoder": options})
    assert words in str(caught.value)
