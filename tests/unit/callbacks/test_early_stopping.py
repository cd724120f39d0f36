"""When training ends by itself, and what is said of it."""

from collections.abc import Callable
from typing import Any

import lightning as L
import pytest

from tandem.callbacks import EarlyStopping, TrainingRecord

Values = list[tuple[float, float]]


class Scripted(L.Callback):
    """Gives each validation a score and a loss."""

    def __init__(self, values: Values) -> None:
        self.values = values

    def on_validation_epoch_end(self, trainer: L.Trainer, pl_module: Any) -> None:
        score, loss = self.values[min(trainer.current_epoch, len(self.values) - 1)]
        pl_module.log_dict({"val/score": score, "val/loss": loss})


def stopping(**options: Any) -> EarlyStopping:
    given = {"patience": 2, "patience_steps": 0, "min_delta": 0.0, **options}
    return EarlyStopping(monitor="val/score", mode="max", **given)


@pytest.fixture
def fit(tiny_module: Any, tiny_loader: Any, tiny_trainer: Any) -> Callable[..., Any]:
    """Train with two steps an epoch, each validated; return the record and the trainer."""

    def run(
        values: Values, *callbacks: L.Callback, empty: float | None = None, **settings: Any
    ) -> Any:
        record = TrainingRecord(monitor="val/score", mode="max", empty=empty)
        settings = {"max_epochs": 9, **settings}
        trainer = tiny_trainer(callbacks=[Scripted(values), record, *callbacks], **settings)
        module = tiny_module()
        module.validation_step = lambda batch, batch_idx: None
        trainer.fit(module, tiny_loader(2), tiny_loader(1))
        return record, trainer

    return run


RISING = [(float(epoch), 1.0) for epoch in range(20)]
STANDING = [(0.0, 9.0 - epoch) for epoch in range(4)]


@pytest.mark.parametrize(
    ("values", "options", "epochs"),
    [
        (RISING, {}, 9),
        ([(5.0, 1.0)], {}, 3),
        ([(5.0, 1.0)], {"patience_steps": 8}, 5),  # two steps an epoch
        ([(5.0, 1.0)], {"patience": 5}, 6),
        ([(1.0, 1.0), (3.0, 1.0), (2.0, 0.5)], {}, 4),  # a better loss for a worse score
        (STANDING, {}, 6),  # the score stands still, and the loss falls in four validations
        ([(1.0, 1.0), (1.4, 1.0), (1.8, 1.0)], {"min_delta": 1.0}, 3),
    ],
)
def test_when_training_ends(fit: Any, values: Values, options: Any, epochs: int) -> None:
    watcher = stopping(**options)
    record, trainer = fit(values, watcher)
    facts = record.facts(trainer)
    assert (facts["epochs"], facts["steps"]) == (epochs, 2 * epochs)
    assert (watcher.reason is None) is (epochs == 9)


def test_the_reason(fit: Any) -> None:
    record, trainer = fit([(1.0, 1.0), (3.0, 1.0), (2.0, 1.0)], stopping())
    assert record.facts(trainer) == {
        "why": "callbacks.early_stopping: val/score has not improved on 3.0000, at step 4, "
        "for 2 validations and 4 steps",
        "epochs": 4,
        "steps": 8,
        "monitor": {"name": "val/score", "mode": "max", "decided_by": "val/score"},
    }


def test_it_goes_on_waiting_behind_a_resume(fit: Any) -> None:
    first = stopping()
    fit([(5.0, 1.0)], first, max_epochs=2)
    assert first.reason is None
    second, over = stopping(), stopping()
    second.load_state_dict(first.state_dict())
    record, trainer = fit([(5.0, 1.0)], second)
    assert trainer.global_step == 2
    over.load_state_dict(second.state_dict())
    record, trainer = fit([(5.0, 1.0)], over)
    assert trainer.global_step == 0
    assert record.facts(trainer)["why"] == second.reason


@pytest.mark.parametrize(
    ("settings", "why", "epochs", "steps"),
    [
        ({"max_epochs": 3}, "trainer.max_epochs=3 reached", 3, 6),
        ({"max_epochs": 9, "max_steps": 5}, "trainer.max_steps=5 reached", 2, 5),
        ({"max_epochs": -1, "max_steps": 4}, "trainer.max_steps=4 reached", 2, 4),
        ({"max_epochs": -1, "max_time": "00:00:00:00"}, "trainer.max_time reached", 0, 0),
    ],
)
def test_other_ends(fit: Any, settings: Any, why: str, epochs: int, steps: int) -> None:
    record, trainer = fit(RISING, stopping(), **settings)
    facts = record.facts(trainer)
    assert (facts["why"], facts["epochs"], facts["steps"]) == (why, epochs, steps)


def test_a_callback_of_somebody_elses(fit: Any) -> None:
    class Stop(L.Callback):
        def on_train_batch_end(self, trainer: L.Trainer, *_: Any) -> None:
            trainer.should_stop = True

    record, trainer = fit(RISING, Stop())
    assert record.facts(trainer)["why"] == "a callback ended it"


@pytest.mark.parametrize(
    ("empty", "says"), [(None, []), (0.0, []), (3.0, ["the last 5"]), (4.0, ["the last 5"])]
)
def test_a_monitor_that_comes_to_stand_where_empty_outputs_are(
    fit: Any, caplog: Any, empty: float | None, says: list[str]
) -> None:
    values = [(score, 9.0 - epoch) for epoch, score in enumerate([1.0, 2.0, *[3.0] * 7])]
    fit(values, empty=empty)
    messages = [line.getMessage() for line in caplog.records if "equal scores" in line.message]
    assert [message.split(" in ")[1].split(" validations")[0] for message in messages] == says


def test_a_monitor_that_stands_still_is_said_once(fit: Any, caplog: Any) -> None:
    values = [(0.0, 9.0 - epoch) for epoch in range(9)]
    record, trainer = fit(values)
    (said,) = [line.getMessage() for line in caplog.records if "equal scores" in line.message]
    assert said == (
        "val/score has been 0.0000 in all of 5 validations while val/loss fell from 9.0000 to "
        "5.0000: of equal scores the smaller loss counts as better"
    )
    assert record.facts(trainer)["monitor"]["decided_by"] == "val/loss"
