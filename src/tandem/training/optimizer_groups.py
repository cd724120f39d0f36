"""Parameter groups: parts of a model with a learning rate of their own, or none at all."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from typing import Any

from torch import nn
from torch.optim import Optimizer

from tandem.core.errors import InputError


@dataclass(frozen=True, kw_only=True)
class ParameterGroup:
    """What is different for some parameters."""

    lr_factor: float = 1.0
    """The optimizer's learning rate is multiplied by this, in every step of its schedule."""
    weight_decay: float | None = None
    """Instead of the optimizer's; None leaves it."""
    frozen: bool | int = False
    """Whether the parameters stay as they are, in modules that work as in evaluation; a number:
    for so many optimizer steps.
    """

    @property
    def thaws(self) -> bool:
        """Whether the parameters are frozen at first and trained later."""
        return type(self.frozen) is int


def parameter_groups(spec: Mapping[str, Any] | None) -> dict[str, ParameterGroup]:
    """Read ``optimizer.groups``: by pattern what is different.

    :raises InputError: if a value is none of :class:`ParameterGroup`'s.
    """
    known = [field.name for field in fields(ParameterGroup)]
    groups = {}
    for pattern, options in (spec or {}).items():
        if not isinstance(options, Mapping) or not options or not options.keys() <= set(known):
            raise InputError(
                f"optimizer.groups must give each pattern some of {', '.join(known)}, such as "
                f"optimizer.groups={{encoder: {{lr_factor: 0.1}}}}, but {pattern} has {options!r}."
            )
        group = ParameterGroup(**options)
        for name in ("lr_factor", "weight_decay"):
            value = getattr(group, name)
            if value is not None and not (type(value) in (int, float) and value >= 0):
                raise InputError(
                    f"optimizer.groups.{pattern}.{name} must be a number of at least 0, but is "
                    f"{value!r}; to keep parameters as they are set frozen to true."
                )
        if type(group.frozen) is not bool and not (type(group.frozen) is int and group.frozen > 0):
            raise InputError(
                f"optimizer.groups.{pattern}.frozen must be true, false, or for how many steps (a "
                f"whole number of at least 1), but is {group.frozen!r}."
            )
        groups[pattern] = group
    return groups


class GroupedOptimizer:
    """Makes an optimizer in which parameters differ by their names.

    Of several patterns that match a name (see :func:`matches`) the first one counts. What is frozen
    for some steps belongs to the optimizer from the beginning: the learning rate goes on meanwhile,
    and the optimizer's statistics begin with the first gradient.

    :param optimizer: makes an optimizer of torch from parameters.
    :param groups: by pattern what is different.
    """

    def __init__(
        self, optimizer: Callable[..., Optimizer], groups: Mapping[str, ParameterGroup]
    ) -> None:
        self.optimizer = optimizer
        self.groups = groups
        self._thaws: dict[str, int] = {}
        """The step from which each parameter trains that is frozen at first."""

    def freeze(self, model: nn.Module) -> None:
        """Stop the gradients of frozen parameters, and dropout and the like in their modules.

        :raises InputError: if a pattern matches no parameter, or nothing is left to train.
        """
        self._thaws = {}
        for name, parameter in model.named_parameters():
            group = self._group(name)
            if group.thaws and parameter.requires_grad:
                self._thaws[name] = int(group.frozen)
            if group.frozen:
                parameter.requires_grad_(False)
        evaluate_frozen(model)
        self._check(model)

    def thaw(self, model: nn.Module, step: int) -> list[str]:
        """Let parameters train that were frozen for ``step`` steps or fewer; return their names."""
        if step < min(self._thaws.values(), default=math.inf):
            return []
        thawed = []
        for name, parameter in model.named_parameters():
            if self._thaws.get(name, math.inf) <= step and not parameter.requires_grad:
                parameter.requires_grad_(True)
                thawed.append(name)
        if thawed:
            evaluate_frozen(model.train())
        return thawed

    @property
    def thaws(self) -> bool:
        """Whether any parameters are frozen at first and trained later."""
        return any(group.thaws for group in self.groups.values())

    def trained(self, model: nn.Module) -> dict[str, nn.Parameter]:
        """The parameters that train, at once or later, by their names."""
        return {
            name: parameter
            for name, parameter in model.named_parameters()
            if parameter.requires_grad or name in self._thaws
        }

    def __call__(self, model: nn.Module) -> Optimizer:
        """An optimizer of the parameters that train, at once or later."""
        members: dict[str | None, list[nn.Parameter]] = {}
        for name, parameter in self.trained(model).items():
            members.setdefault(self._pattern(name), []).append(parameter)
        specs = []
        for pattern, parameters in members.items():
            group = self.groups.get(pattern or "", ParameterGroup())
            spec: dict[str, Any] = {"params": parameters}
            if group.weight_decay is not None:
                spec["weight_decay"] = group.weight_decay
            specs.append(spec)
        optimizer = self.optimizer(specs)
        for pattern, options in zip(members, optimizer.param_groups, strict=True):
            options["lr"] *= self.groups.get(pattern or "", ParameterGroup()).lr_factor
        return optimizer

    def _group(self, name: str) -> ParameterGroup:
        return self.groups.get(self._pattern(name) or "", ParameterGroup())

    def _pattern(self, name: str) -> str | None:
        """The first pattern that a parameter's name matches."""
        return next((pattern for pattern in self.groups if matches(name, pattern)), None)

    def _check(self, model: nn.Module) -> None:
        names = [name for name, _ in model.named_parameters()]
        matched = {self._pattern(name) for name in names}
        for pattern in self.groups:
            if pattern not in matched:
                parts = dict.fromkeys(name.partition(".")[0] for name in names)
                raise InputError(
                    f"optimizer.groups has the pattern {pattern!r}, which is the first match of no "
                    f"parameter; the parts of this model are {', '.join(parts)}, and a parameter "
                    f"is called, for example, {names[-1]}."
                )
        if not self.trained(model):
            raise InputError(
                "optimizer.groups freezes every parameter, so there is nothing to train; leave "
                "one part out."
            )


def matches(name: str, pattern: str) -> bool:
    """Whether a pattern means a parameter or module: the beginning of its name up to a dot
    (``encoder``, ``decoder.layers.0``) or a shell pattern (``*.bias``, ``encoder.*.norm.*``).
    """
    return name == pattern or name.startswith(f"{pattern}.") or fnmatchcase(name, pattern)


def evaluate_frozen(model: nn.Module) -> None:
    """Put modules into evaluation mode all of whose parameters are frozen: nothing is dropped."""
    for module in model.modules():
        parameters = list(module.parameters())
        if parameters and not any(parameter.requires_grad for parameter in parameters):
            module.eval()
