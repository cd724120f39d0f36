"""How the ranks of a run work together, by the names that ``trainer.strategy`` has for it."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from lightning.pytorch.strategies import Strategy
from torch.optim import Adafactor

from tandem.core.errors import InputError
from tandem.training.noise import Noise
from tandem.training.optimizer_groups import GroupedOptimizer
from tandem.training.replication import ReplicatedStrategy
from tandem.training.self_critical import SelfCritical
from tandem.training.sharding import ShardedStrategy

STRATEGIES: dict[str, Callable[[], Strategy]] = {
    "ddp": ReplicatedStrategy,
    "fsdp": ShardedStrategy,
}
"""Those of our own; other names are Lightning's."""


def make_strategy(name: str) -> Strategy | str:
    """What Lightning's trainer takes."""
    return STRATEGIES[name]() if name in STRATEGIES else name


def check_strategy(
    name: str,
    *,
    noise: Sequence[Noise],
    risk: SelfCritical | None,
    optimizer: GroupedOptimizer,
    compiles: bool,
) -> None:
    """Refuse to share out weights where ranks would wait for each other for ever.

    :param compiles: whether the model is compiled.
    :raises InputError: if it is, if ranks would call layers differently often, or if the optimizer
        looks at more than one element of a weight at a time.
    """
    if name != "fsdp":
        return
    if compiles:
        raise InputError(
            "model.compile=true has not been made to work with trainer=fsdp; set "
            "model.compile=false, or choose trainer=ddp."
        )
    varied = [type(one).__name__ for one in noise if not one.is_uniform]
    obstacle = None
    if risk is not None:
        obstacle = "risk lets each process search for outputs of other lengths; set risk=null"
    elif varied:
        obstacle = f"{' and '.join(varied)} in `noise` lets processes differ in this; leave it out"
    if obstacle is not None:
        raise InputError(
            "trainer=fsdp needs all processes to call the same layers equally often, but "
            f"{obstacle}, or choose trainer=ddp."
        )
    if optimizer.thaws:
        raise InputError(
            "trainer=fsdp shards weights once, so optimizer.groups cannot freeze any for some "
            "steps only; set frozen to true or false, or choose trainer=ddp."
        )
    make: Any = optimizer.optimizer
    if isinstance(make, partial) and make.func is Adafactor:
        raise InputError(
            "optimizer=adafactor looks at whole weights, of which a process has only a part with "
            "trainer=fsdp; choose optimizer=adamw, or trainer=ddp."
        )
