"""What a config leaves open because it follows from the data, known once the data is read."""

import logging
from collections.abc import Sequence
from pathlib import Path

from omegaconf import OmegaConf

from tandem.config.checks import on_command_line
from tandem.config.instantiate import plain
from tandem.config.length import check_limits, say_length, settle_length
from tandem.config.plan import Plan
from tandem.config.run_folder import read_run_config
from tandem.core.directions import Direction
from tandem.core.errors import InputError
from tandem.core.quality import LOSS
from tandem.data.batching import Budget
from tandem.metrics import Metric

logger = logging.getLogger(__name__)

KEPT_KEYS = (
    "batching.max_tokens",
    "batching.max_source_tokens",
    "trainer.check_val_every_n_epoch",
)
"""Open keys that keep the values with which a run began when it goes on."""
ROWS_FOR_ROOM = 1000


def settle(plan: Plan) -> None:
    """Give what the config leaves open the values that the prepared data decides, and say them.

    :raises InputError: if the user's own choice of ``monitor.name`` cannot tell outputs apart.
    """
    cfg, budget = plan.cfg, plan.data.budget
    before = plain(cfg)
    cfg.batching.max_tokens = budget.max_tokens
    cfg.batching.max_source_tokens = budget.max_source_tokens
    check_limits(cfg.trainer, plan.data)
    settle_length(cfg.trainer, plan.data.batches_an_epoch())
    if plain(cfg) != before:
        say_length(cfg, plan.data)
    _settle_monitor(plan)


def continue_settled(plan: Plan, folder: Path) -> None:
    """Take over what was settled when a run began that goes on, if there is one in the folder."""
    path = folder / "config.yaml"
    if not path.exists():
        return
    cfg, old = plan.cfg, read_run_config(path)
    # All at once, as one of them may be an interpolation of another.
    for key in [key for key in KEPT_KEYS if OmegaConf.select(cfg, key) is None]:
        group, name = key.split(".")
        OmegaConf.update(cfg, key, old.get(group, {}).get(name))
    plan.data.budget = Budget(**cfg.batching)
    if not on_command_line("monitor.name", "monitor"):
        plan.monitor(**old["monitor"])


def _settle_monitor(plan: Plan) -> None:
    """Leave a score that cannot get better for one that can, or for the loss.

    So it is with BLEU where no reference has four words.
    """
    monitor = plan.cfg.monitor
    rows = plan.data.encoded("validation").rows
    found = sorted(set(rows[:ROWS_FOR_ROOM].tolist()))
    rooms = rooms_of(plan.metrics, plan.data.references("validation", found))
    if rooms.get(monitor.name, True):
        return
    with_room = [name for name, room in rooms.items() if room]
    chosen = next(iter(with_room), LOSS)
    reason = (
        f"{monitor.name} cannot tell outputs apart here: it gives the references themselves no "
        "better score than empty outputs"
    )
    if on_command_line("monitor.name", "monitor"):
        raise InputError(f"{reason}; choose monitor.name={chosen}.")
    logger.warning("%s, so %s is monitored", reason, chosen)
    plan.monitor(chosen, _direction(plan.metrics, chosen))


def rooms_of(metrics: Sequence[Metric], references: list[list[str]]) -> dict[str, bool]:
    """Whether each score, as ``val/<name>``, is better for references than for empty outputs."""
    rooms = {}
    for metric in metrics:
        best = metric([texts[0] for texts in references], references)
        worst = metric(["" for _ in references], references)
        for name, direction in metric.directions.items():
            more = best[name] - worst[name]
            rooms[f"val/{name}"] = more > 0 if direction == "max" else more < 0
    return rooms


def _direction(metrics: Sequence[Metric], name: str) -> Direction:
    directions = {f"val/{key}": way for one in metrics for key, way in one.directions.items()}
    return directions.get(name, "min")
