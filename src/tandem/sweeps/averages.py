"""Test scores of a study's trials, averaged over the parameters that only repeat a question."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rich.table import Table

from tandem.core.errors import InputError
from tandem.reports.summary import format_metric
from tandem.sweeps.study import Point


@dataclass(frozen=True)
class Average:
    """The trials that agree in all other parameters.

    :param point: these parameters.
    :param count: number of trials.
    :param scores: mean of each score, and its standard deviation over the trials (by n - 1; 0 for
        one).
    """

    point: Point
    count: int
    scores: dict[str, tuple[float, float]]


def check_averaged(keys: Sequence[str], parameters: Sequence[str]) -> None:
    """Refuse keys that do not vary.

    :raises InputError: for the first one.
    """
    for key in keys:
        if key not in parameters:
            raise InputError(
                f"average: {key} does not vary in this study; choose of {', '.join(parameters)}."
            )


def averages(
    trials: Sequence[tuple[Point, Mapping[str, float]]], over: Sequence[str]
) -> list[Average]:
    """Group trials by the parameters that are not averaged over.

    :param trials: each with its point and its scores.
    :param over: names of parameters.
    :return: in the order in which groups come first, with the scores that all their trials have.
    """
    groups: dict[tuple[tuple[str, str], ...], list[Mapping[str, float]]] = {}
    for point, scores in trials:
        rest = tuple((name, str(value)) for name, value in point.items() if name not in over)
        groups.setdefault(rest, []).append(scores)
    return [
        Average(dict(rest), len(members), _moments(members)) for rest, members in groups.items()
    ]


def _moments(members: list[Mapping[str, float]]) -> dict[str, tuple[float, float]]:
    common = [name for name in members[0] if all(name in one for one in members)]
    found = {}
    for name in common:
        values = [one[name] for one in members]
        spread = statistics.stdev(values) if len(values) > 1 else 0.0
        found[name] = (statistics.fmean(values), spread)
    return found


def averages_table(found: Sequence[Average], over: Sequence[str]) -> Table:
    """One line for each group: means with standard deviations, and in the title a shared split."""
    names = list(dict.fromkeys(name for one in found for name in one.point))
    scores = list(dict.fromkeys(name for one in found for name in one.scores))
    splits = {name.rpartition("/")[0] for name in scores}
    split = splits.pop() if len(splits) == 1 else ""
    title = f"Mean and standard deviation over {', '.join(over)}"
    table = Table(title=f"{title}, {split} split" if split else title, title_justify="left")
    for heading in (*names, "trials", *(name.removeprefix(f"{split}/") for name in scores)):
        table.add_column(heading, overflow="fold")
    for one in found:
        texts = [
            " ± ".join(format_metric(name, value) for value in one.scores[name])
            if name in one.scores
            else ""
            for name in scores
        ]
        table.add_row(*(str(one.point[name]) for name in names), str(one.count), *texts)
    return table
