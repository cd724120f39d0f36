"""Which runs may be ranked together: those that were scored on the same whole test split."""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tandem.reports.outputs import Outputs
from tandem.reports.runs import Run, Value

LIMITS = {"test": "trainer.limit_test_batches", "val": "trainer.limit_val_batches"}
SMALL_SPLITS = ("data.overfit", "trainer.overfit_batches", "trainer.fast_dev_run")
"""Settings that make every split another one."""
ROUTES = ("dataset.data_dir", "dataset.on_bad_example", "dataset.cache")
"""Settings of a dataset on which its rows do not depend."""


@dataclass
class TestSet:
    """Runs whose scores compare."""

    key: str
    """The rows' digest, or what the dataset depends on if no run kept its outputs."""
    dataset: str
    rows: int | None
    """Test rows; None if no run kept its outputs."""
    runs: list[Run] = field(default_factory=list)
    label: str = ""

    @property
    def id(self) -> str:
        """A short name that is the same in every report, for bookmarks."""
        return hashlib.sha256(self.key.encode("utf-8", "replace")).hexdigest()[:10]

    def exclusions(self, run: Run, kept: Outputs | None) -> dict[str, str]:
        """Why a run of the set ranks with none, by the scores' split."""
        excluded = exclusions(run)
        if kept is not None and kept.test_set == self.key:  # the part is the whole
            excluded.pop("test", None)
        return excluded


def exclusions(run: Run) -> dict[str, str]:
    """Why a run's scores rank with none, by the scores' split."""
    settings = run.settings
    for key in SMALL_SPLITS:
        if settings.get(key) not in (None, False, 0, 0.0):
            reason = f"every split is a few training pairs ({key}={settings[key]})"
            if key == "trainer.fast_dev_run":
                reason = f"a trial of a few batches ({key}={settings[key]})"
            return dict.fromkeys(LIMITS, reason)
    found = {}
    for split, key in LIMITS.items():
        limit = settings.get(key)
        if limit is not None and not (isinstance(limit, float) and limit == 1.0):
            found[split] = f"scored on a part of the split ({key}={limit})"
    if not run.record.get("metrics") and run.metrics:
        found["val"] = "the run is not finished, these are scores of its last validation"
    return found


def signature(run: Run) -> str:
    """What a run's dataset depends on, as text: its name and settings."""
    settings = {
        key: value
        for key, value in run.settings.items()
        if (key == "dataset" or key.startswith("dataset.")) and key not in ROUTES
    }
    return json.dumps([run.parts["dataset"], settings], sort_keys=True)


def find_test_sets(runs: list[Run], outputs: Mapping[Path, Outputs]) -> list[TestSet]:
    """Put runs together whose scores compare, the largest set first.

    Runs that kept their outputs go by the rows themselves. Others join the runs with the same
    settings of the dataset, as do runs that were scored on a part of it, which rank with none.
    Runs without a config are left out.
    """
    by_key: dict[str, TestSet] = {}
    of_signature: dict[str, Counter[str]] = defaultdict(Counter)
    others: list[tuple[Run, str]] = []
    for run in runs:
        if not run.config:
            continue
        written = signature(run)
        kept = outputs.get(run.folder)
        if kept is None or "test" in exclusions(run):
            others.append((run, written))
            continue
        one = by_key.setdefault(
            kept.test_set, TestSet(kept.test_set, run.parts["dataset"], kept.rows)
        )
        one.runs.append(run)
        of_signature[written][kept.test_set] += 1
    for run, written in others:
        kept = outputs.get(run.folder)
        if kept is not None and kept.test_set in by_key:
            key = kept.test_set
        elif of_signature[written]:
            key = of_signature[written].most_common(1)[0][0]
        else:
            key = written
            by_key.setdefault(key, TestSet(key, run.parts["dataset"], None))
        by_key[key].runs.append(run)
    sets = sorted(by_key.values(), key=lambda one: -sum(1 for run in one.runs if run.metrics))
    _label(sets)
    return sets


def _label(sets: list[TestSet]) -> None:
    """Name each set by its dataset, and by settings and rows where that is not enough."""
    for one in sets:
        same = [other for other in sets if other.dataset == one.dataset]
        words = _different(one, same) if len(same) > 1 else []
        rows = [] if one.rows is None else [f"{one.rows:,} test rows"]
        one.label = ", ".join([one.dataset or "(no dataset)", *words, *rows])
    counts = Counter(one.label for one in sets)
    for one in sets:
        if counts[one.label] > 1:
            one.label = f"{one.label} ({one.id[:4]})"


def _different(one: TestSet, same: Iterable[TestSet]) -> list[str]:
    """At most three settings of the dataset that the others do not have."""

    def settings(of: TestSet) -> dict[str, Value]:
        return {
            key.removeprefix("dataset."): value
            for key, value in of.runs[0].settings.items()
            if key.startswith("dataset.") and key not in ROUTES
        }

    own, others = settings(one), [settings(other) for other in same]
    keys = [key for key in own if any(other.get(key) != own[key] for other in others)]
    return [f"{key}={own[key]}" for key in keys[:3]]
