"""A frozen encoder costs no gradients: nothing of its pass waits for the backward pass."""

import copy

from torch.nn import Parameter

from tandem.testing.case import Case
from tandem.training.optimizer_groups import GroupedOptimizer, ParameterGroup


def test_a_frozen_encoder_makes_no_graph(option_case: Case) -> None:
    model = copy.deepcopy(option_case.model).train()
    groups = {"frontend.*": ParameterGroup(frozen=True), "encoder": ParameterGroup(frozen=True)}
    if not list(model.frontend.parameters()):
        del groups["frontend.*"]
    GroupedOptimizer(lambda specs: None, groups).freeze(model)
    memory = model.encode(option_case.source, option_case.mask)
    assert memory.states.grad_fn is None
    assert memory.summary.grad_fn is None
    assert not model.encoder.training
    scores = model(option_case.source, option_case.mask, option_case.target)
    scores[..., 2:].sum().backward()

    def learns(parameter: Parameter) -> bool:
        return parameter.grad is not None

    assert not any(map(learns, [*model.frontend.parameters(), *model.encoder.parameters()]))
    assert any(map(learns, model.decoder.parameters()))
