"""The outputs of a frozen encoder are computed once, and training sees no difference."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tandem.core.errors import InputError
from tandem.models import Seq2Seq

Run = Callable[..., Any]
FROZEN = "optimizer.groups={frontend: {frozen: true}, encoder: {frozen: true}}"
CACHED = (FROZEN, "model.cache_encoder=true")
RUN = ("trainer.max_epochs=2", "callbacks=none", "dropout=0.3")


def losses(folder: Path, read_metrics: Run) -> list[float]:
    names = ("train/loss", "val/loss", "test/loss")
    rows = read_metrics(folder)
    return [float(row[name]) for row in rows for name in names if row.get(name)]


@pytest.mark.parametrize(
    "overrides",
    [
        [
            *("encoder=lstm", "tokenizer.shared=true", "model.copying=true"),
            *("objective.ctc_weight=0.3", "objective.r_drop_weight=1"),
        ],
        ["noise=[scheduled_sampling,layer_drop]", "encoder=conformer", "trainer.precision=64-true"],
    ],
    ids=lambda overrides: " ".join(overrides),
)
def test_losses_are_the_same(
    train_tiny: Run, read_metrics: Run, tmp_path: Path, overrides: list[str]
) -> None:
    train_tiny(tmp_path / "plain", FROZEN, *RUN, *overrides)
    train_tiny(tmp_path / "cached", *CACHED, *RUN, *overrides)
    expected = losses(tmp_path / "plain", read_metrics)
    assert len(expected) > 10
    assert losses(tmp_path / "cached", read_metrics) == pytest.approx(expected, rel=1e-5)


def test_each_source_is_read_once_for_all_runs(
    train_tiny: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TANDEM_CACHE", str(tmp_path / "cache"))
    read: list[int] = []
    encode = Seq2Seq.encode

    def counted(self: Seq2Seq, source: Any, mask: Any) -> Any:
        read.append(len(source))
        return encode(self, source, mask)

    monkeypatch.setattr(Seq2Seq, "encode", counted)
    train_tiny(tmp_path / "one", *CACHED, *RUN)
    log = (tmp_path / "one" / "train.log").read_text()
    assert "Outputs of the frozen encoder for sources of train 40, validation 4, test 4: 0." in log
    first = sum(read)
    read.clear()
    train_tiny(tmp_path / "two", *CACHED, *RUN, "decoder=cnn")
    assert read == []
    train_tiny(tmp_path / "three", *CACHED, *RUN, "seed=1")  # other weights
    assert sum(read) == first


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ([], "but frontend.table.weight is trained; freeze both parts with optimizer.groups="),
        ([FROZEN.replace("true", "9")], "but frontend.table.weight is trained; freeze both parts"),
        ([FROZEN, "noise=[word_dropout]"], "but WordDropout in `noise` changes the sources; leave"),
        ([FROZEN, "tokenizer=bpe", "tokenizer.dropout=0.1"], "cuts it into other pieces in each"),
    ],
)
def test_outputs_that_change(
    train_tiny: Run, tmp_path: Path, overrides: list[str], message: str
) -> None:
    with pytest.raises(InputError) as caught:
        train_tiny(tmp_path, "model.cache_encoder=true", *overrides)
    assert str(caught.value).startswith("model.cache_encoder=true ")
    assert message in str(caught.value)
