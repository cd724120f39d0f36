"""Training with a teacher, which is no part of what a run leaves behind."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tandem.core.errors import InputError
from tandem.inference.bundle import load_bundle

Run = Callable[..., Any]


def test_a_smaller_student_learns_from_a_run(
    train_tiny: Run, finished_run: Path, read_metrics: Run, tmp_path: Path
) -> None:
    options = (
        f"objective.teacher={finished_run}",
        *("objective.teacher_weight=1", "noise=[word_dropout]"),
        *("optimizer.lr=0.02", "trainer.max_epochs=4", "trainer.accumulate_grad_batches=2"),
    )
    train_tiny(tmp_path, *options, "test=false")
    losses = [
        float(row["train/distillation_loss"])
        for row in read_metrics(tmp_path)
        if row.get("train/distillation_loss")
    ]
    assert losses[-1] < losses[0]
    student = load_bundle(tmp_path)
    assert student.model.num_parameters() < load_bundle(finished_run).model.num_parameters() / 4
    assert "teacher" not in json.dumps(student.config["model"])


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["objective.teacher=FOLDER", "dataset.symbols=3"],
            "objective.teacher=FOLDER has another source and another target vocabulary or reader "
            "than this run; take it over, init_from={source_vocabulary: FOLDER, "
            "target_vocabulary: FOLDER}, with the data.truncate_source it had, or set "
            "objective.teacher=null.",
        ),
        (["objective.teacher=nowhere"], "There is no bundle in nowhere"),
    ],
    ids=["other vocabulary", "no run"],
)
def test_a_teacher_that_does_not_fit(
    train_tiny: Run, finished_run: Path, tmp_path: Path, overrides: list[str], message: str
) -> None:
    with pytest.raises(InputError) as caught:
        train_tiny(
            tmp_path / "run", *(one.replace("FOLDER", str(finished_run)) for one in overrides)
        )
    assert str(caught.value).replace(str(finished_run), "FOLDER").startswith(message)
