"""Scores: over batches, over ranks, once per row, visible to monitors."""

import logging
from typing import Any

import pytest
import torch

from tandem.callbacks import BestCheckpoint, TextMetrics
from tandem.callbacks.evaluated_rows import Rows, gather, merge
from tandem.core.types import Evaluated
from tandem.metrics import WER, ExactMatch


def evaluated(*indices: int) -> Evaluated:
    texts = [f"text {index}" for index in indices]
    return Evaluated(list(indices), texts, texts, [[text] for text in texts])


def two_metrics() -> TextMetrics:
    return TextMetrics(metrics=[ExactMatch(lowercase=False), WER(normalization="none")])


def test_merge_sorts_and_counts_each_row_once() -> None:
    rows = merge([evaluated(3, 1), evaluated(1, 0), evaluated()])
    assert rows.indices == [0, 1, 3]
    assert rows.hypotheses == ["text 0", "text 1", "text 3"]


def test_gather_over_ranks(monkeypatch: pytest.MonkeyPatch) -> None:
    def all_gather(parts: list[Any], mine: Evaluated) -> None:
        parts[:] = [mine, evaluated(2, 0)]

    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda: 2)
    monkeypatch.setattr(torch.distributed, "all_gather_object", all_gather)
    assert gather(evaluated(0, 1)).indices == [0, 1, 2]
    first = Rows(count=2)
    first.add(evaluated(5, 1))
    assert first.gather().indices == [0, 1]
    assert first.gather().indices == [0, 2]  # the other rank's, as ours were forgotten


def test_first_rows_do_not_depend_on_the_order_of_batches() -> None:
    first = Rows(count=2)
    everything = Rows(count=None)
    for batch in (evaluated(7, 3), evaluated(1, 9), evaluated(2, 3)):
        first.add(batch)
        everything.add(batch)
    assert first.gather().indices == [1, 2]
    assert first.parts == []
    assert everything.gather().indices == [1, 2, 3, 7, 9]


def test_scores_are_logged_and_can_be_monitored(
    tiny_module: Any, tiny_loader: Any, tiny_trainer: Any, tmp_path: Any, caplog: Any
) -> None:
    best = BestCheckpoint(folder=str(tmp_path), monitor="val/exact_match", mode="max")
    metrics = two_metrics()
    run = tiny_trainer(callbacks=[metrics, best], max_epochs=2, enable_checkpointing=True)
    with caplog.at_level(logging.INFO, logger="tandem"):
        run.fit(tiny_module(), tiny_loader(2), tiny_loader(2))
    # Row 0 of the rows 0 to 3 is wrong: its one word is wrong and the second missing, of 8 words.
    assert run.callback_metrics["val/exact_match"] == 75.0
    assert run.callback_metrics["val/wer"] == 25.0
    assert best.best is not None
    assert best.best.score == 75.0
    said = [record for record in caplog.records if record.name.startswith("tandem")]
    assert [record.getMessage().split(" is ")[0] for record in said] == [
        "val/exact_match",
        "val/wer",
    ]
    run.test(run.lightning_module, tiny_loader(4), verbose=False)
    assert run.callback_metrics["test/exact_match"] == 75.0
    assert set(metrics.signatures) == {
        "val/exact_match",
        "val/wer",
        "test/exact_match",
        "test/wer",
    }


def test_duplicates_never_count_twice(
    tiny_module: Any, tiny_loader: Any, tiny_trainer: Any
) -> None:
    twice = [*tiny_loader(2), *tiny_loader(1)]  # rows 0 and 1 again, of which 0 is wrong
    run = tiny_trainer(callbacks=[two_metrics()])
    loader: Any = torch.utils.data.DataLoader(twice, batch_size=None)  # type: ignore[arg-type]
    run.validate(tiny_module(), loader, verbose=False)
    assert run.callback_metrics["val/exact_match"] == 75.0


def test_no_search_no_scores_and_none_in_the_sanity_check(
    tiny_module: Any, tiny_loader: Any, tiny_trainer: Any
) -> None:
    run = tiny_trainer(callbacks=[two_metrics()])
    run.fit(tiny_module(search=False), tiny_loader(2), tiny_loader(2))
    assert "val/exact_match" not in run.callback_metrics
    metrics = two_metrics()
    run = tiny_trainer(callbacks=[metrics], limit_train_batches=1, limit_val_batches=0)
    run.fit(tiny_module(), tiny_loader(2), tiny_loader(2))
    assert metrics.signatures == {}
