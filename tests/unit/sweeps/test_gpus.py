"""GPUs are shared out among a sweep's workers."""

import logging
import os

import pytest
import torch

from tandem.sweeps.gpus import MASK, see_only, shares, visible_gpus


@pytest.mark.parametrize(
    ("mask", "count", "gpus"),
    [
        (None, 0, []),
        (None, 2, ["0", "1"]),
        ("3,5", 2, ["3", "5"]),
        ("GPU-a1,GPU-b2,9", 2, ["GPU-a1", "GPU-b2"]),
        ("", 0, []),
    ],
)
def test_a_mask_that_is_set_is_kept_to(
    mask: str | None, count: int, gpus: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(MASK, raising=False)
    if mask is not None:
        monkeypatch.setenv(MASK, mask)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    assert visible_gpus() == gpus


@pytest.mark.parametrize(
    ("gpus", "workers", "masks"),
    [
        ([], 2, [None, None]),
        (["0", "1"], 2, ["0", "1"]),
        (["3", "5", "7", "8", "9"], 2, ["3,5", "7,8"]),
        (["0", "1"], 5, ["0", "1", "0", "1", "0"]),
    ],
)
def test_each_worker_has_its_own(
    gpus: list[str],
    workers: int,
    masks: list[str | None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        assert shares(gpus, workers) == masks
    shared = "workers=5 share 2 GPUs, so trainings wait for each other; workers=2 have one each"
    assert [record.message for record in caplog.records] == ([shared] if workers == 5 else [])


def test_only_a_mask_changes_what_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MASK, "4,5")
    see_only(None)
    assert os.environ[MASK] == "4,5"
    see_only("5")
    assert os.environ[MASK] == "5"
