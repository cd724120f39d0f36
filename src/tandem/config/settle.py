"""What a config leaves open because it follows from the data, known once the data is read."""

import logging
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

from omegaconf import OmegaConf

from tandem.callbacks.evaluated_rows import LOG_PREFIX
from tandem.config.instantiate import plain
from tandem.config.length import check_limits, say_length, settle_length
from tandem.config.overrides import on_command_line
from tandem.config.plan import Plan
from tandem.config.run_folder import read_run_config
from tandem.core.directions import Direction, is_better
from tandem.core.errors import InputError
from tandem.core.quality import LOSS
from tandem.data.batching import Budget
from tandem.inference.ceilings import as_record, ceilings, closest_outputs, warning
from tandem.metrics import Metric
from tandem.metrics.spaces import TEXTS, warning_of_spaces

logger = logging.getLogger(__name__)

KEPT_KEYS = (
    "batching.max_tokens",
    "batching.max_source_tokens",
    "trainer.check_val_every_n_epoch",
)
"""Open keys that keep the values with which a run began when it goes on."""
ROWS_FOR_ROOM = 1000
CLOSEST = "outputs as close to the references as the target tokenizer can write"


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
    _settle_ceilings(plan)
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


def _settle_ceilings(plan: Plan) -> None:
    """Find out, and say, how well the target tokenizer can write what outputs are compared with."""
    data = plan.data
    limits: dict[str, dict[str, float]] = {}
    for split, prefix in LOG_PREFIX.items():
        if split == "validation" or (plan.cfg.test and data.has(split)):
            written = data.written[split]
            references = data.references(split, list(range(written.rows)))
            limits[split] = ceilings(plan.metrics, references, written, prefix=prefix)
    splits = {name: data.written[name] for name in ("train", *limits)}
    plan.references = {
        name: as_record(written, limits.get(name, {})) for name, written in splits.items()
    }
    all_limits = dict(chain.from_iterable(one.items() for one in limits.values()))
    few = data.references("validation", list(range(min(TEXTS, data.written["validation"].rows))))
    for sentences in (warning(splits, all_limits), warning_of_spaces(plan.metrics, few)):
        if sentences is not None:
            logger.warning("%s", sentences)


def _settle_monitor(plan: Plan) -> None:
    """Leave a score that cannot get better for one that can, or for the loss.

    So it is with BLEU where no reference has four words.
    """
    monitor = plan.cfg.monitor
    written = plan.data.written["validation"]
    for count in sorted({min(ROWS_FOR_ROOM, written.rows), written.rows}):  # most often, few tell
        references = plan.data.references("validation", list(range(count)))
        plan.empty = scores_of(plan.metrics, [""] * count, references)
        with_room = _with_room(plan, closest_outputs(references, written), references)
        if monitor.name in with_room or monitor.name not in plan.empty:
            return
    chosen = next(iter(with_room), LOSS)
    perfect = _with_room(plan, [texts[0] for texts in references], references)
    reason = (
        f"{monitor.name} cannot tell outputs apart here: it gives "
        f"{CLOSEST if monitor.name in perfect else 'the references themselves'} no better score "
        "than empty outputs"
    )
    if on_command_line("monitor.name", "monitor"):
        raise InputError(f"{reason}; choose monitor.name={chosen}.")
    logger.warning("%s, so %s is monitored", reason, chosen)
    plan.monitor(chosen, _direction(plan.metrics, chosen))


def scores_of(
    metrics: Sequence[Metric], outputs: list[str], references: list[list[str]]
) -> dict[str, float]:
    """All scores as ``val/<name>``."""
    scores = chain.from_iterable(metric(outputs, references).items() for metric in metrics)
    return {f"val/{name}": score for name, score in scores}


def _with_room(plan: Plan, outputs: list[str], references: list[list[str]]) -> list[str]:
    """The scores that are better for these outputs than for empty ones."""
    return [
        name
        for name, score in scores_of(plan.metrics, outputs, references).items()
        if is_better(score, plan.empty[name], _direction(plan.metrics, name))
    ]


def _direction(metrics: Sequence[Metric], name: str) -> Direction:
    directions = {f"val/{key}": way for one in metrics for key, way in one.directions.items()}
    return directions.get(name, "min")
