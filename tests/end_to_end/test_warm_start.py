"""Training that begins with the weights and tokenizers of another run."""

import json
import math
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tandem.config import build
from tandem.core.errors import InputError
from tandem.inference import reading
from tandem.inference.bundle import load_bundle
from tandem.training import warm_start

Run = Callable[..., Any]
SIZE = "hidden_size=32"
RISK = (SIZE, "risk=self_critical", "risk.num_samples=3")


@pytest.fixture(scope="module")
def half_trained(train_once: Run) -> Path:
    """A run with a model that knows some of the task; not to be changed."""
    folder: Path = train_once("half_trained", SIZE, "optimizer.lr=0.02", "trainer.max_epochs=5")
    return folder


def train_losses(rows: list[dict[str, str]], name: str) -> list[float]:
    return [float(row[name]) for row in rows if row.get(name)]


@pytest.mark.parametrize("baseline", ["others", "greedy"])
def test_self_critical_training_lowers_the_risk(
    train_tiny: Run, read_metrics: Run, half_trained: Path, tmp_path: Path, baseline: str
) -> None:
    train_tiny(
        tmp_path,
        f"init_from={half_trained}",
        *RISK,
        f"risk.baseline={baseline}",
        "risk.weight=1",
        "risk.num_samples=10",
        "dropout=0",
        "optimizer.lr=0.003",
        "trainer.max_epochs=12",
        "callbacks=none",
        "test=false",
    )
    risks = train_losses(read_metrics(tmp_path), "train/loss")
    assert sum(risks[-5:]) < 0.8 * sum(risks[:5])


def test_it_begins_with_the_same_scores(
    train_tiny: Run, half_trained: Path, tmp_path: Path
) -> None:
    """With a rate of zero the scores of the run's model are those of the bundle's."""
    options = (SIZE, f"init_from={half_trained}", "optimizer=sgd", "optimizer.lr=0")
    metrics = train_tiny(tmp_path, *options)
    before = json.loads((half_trained / "run.json").read_text())["metrics"]
    assert metrics["test/loss"] == pytest.approx(before["test/loss"], abs=1e-6)
    assert metrics["test/exact_match"] == before["test/exact_match"]


def test_the_bundles_tokenizers_are_kept_for_other_data(
    train_tiny: Run, half_trained: Path, tmp_path: Path
) -> None:
    """They have three symbols, of which the bundle's vocabulary has five."""
    options = (SIZE, f"init_from={half_trained}", "dataset.symbols=3")
    train_tiny(tmp_path / "run", *options)
    bundles = [load_bundle(folder) for folder in (half_trained, tmp_path / "run")]
    first, second = (bundle.processors.target.to_json() for bundle in bundles)
    assert first == second


@pytest.mark.parametrize(
    "overrides",
    [
        ["noise=[word_dropout,scheduled_sampling]", "noise.scheduled_sampling.steps=1"],
        ["objective.r_drop_weight=1", "metric@risk.metric=wer", "decoder.input_feeding=true"],
        ["objective.ctc_weight=0.3", "risk.baseline=greedy", "encoder=lstm"],
        ["tokenizer.shared=true", "model.copying=true", "objective.coverage_weight=1"],
        ["encoder=transformer", "encoder.num_heads=2", "noise=[layer_drop]"],
        ["decoder=cnn", "trainer.precision=bf16-mixed", "callbacks=[default,ema]"],
    ],
    ids=lambda overrides: " ".join(overrides),
)
def test_choices_train_on_the_risk(
    train_tiny: Run, read_metrics: Run, tmp_path: Path, overrides: list[str]
) -> None:
    model = [item for item in overrides if not item.startswith(("noise", "risk", "metric", "call"))]
    train_tiny(tmp_path / "start", *model, "test=false", "callbacks=none")
    options = ("risk=self_critical", "risk.num_samples=3", f"init_from={tmp_path / 'start'}")
    metrics = train_tiny(tmp_path / "run", *options, *overrides)
    assert all(map(math.isfinite, metrics.values()))
    rows = read_metrics(tmp_path / "run")
    assert all(risk > 0 for risk in train_losses(rows, "train/risk_loss"))
    assert len(train_losses(rows, "train/supervised_loss")) == 5
    assert load_bundle(tmp_path / "run").generate(["a b", "b"])


def test_resume_wins_over_it(train_tiny: Run, half_trained: Path, tmp_path: Path) -> None:
    options = (SIZE, f"init_from={half_trained}", "optimizer.lr=0.1")
    train_tiny(tmp_path, *options)
    last = tmp_path / "checkpoints" / "last.ckpt"
    before = torch.load(last, weights_only=True)["state_dict"]
    train_tiny(tmp_path, *options, "resume=true")
    after = torch.load(last, weights_only=True)["state_dict"]
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_a_start_with_parts_of_ones_own(
    train_tiny: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "from tandem.encoders import TransformerEncoder\n\n\nclass Own(TransformerEncoder): ..."
    (tmp_path / "tandem_test_own_parts.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    own = "encoder._target_=tandem_test_own_parts.Own"
    options = ("encoder=transformer", "encoder.num_heads=2", "callbacks=none", "test=false")
    train_tiny(tmp_path / "start", own, *options)
    begin = f"init_from={tmp_path / 'start'}"
    assert train_tiny(tmp_path / "run", own, *options, begin)
    assert train_tiny(tmp_path / "other", *options, begin)  # of a bundle only weights are taken


@pytest.mark.parametrize(
    ("overrides", "what"),
    [
        (
            [],
            "has the weight {name} in the shape (9, 32), but this run's model in the shape (9, 8); "
            "choose the parts and sizes of that run",
        ),
        (
            [SIZE, "objective.ctc_weight=0.3"],
            "has no weight ctc.output.weight, which this run's model has; choose the parts and "
            "sizes of that run",
        ),
        (
            [SIZE, "attention=none"],
            "has the weight decoder.attention.energy.weight, which this run's model has not; "
            "choose the parts and sizes of that run",
        ),
        (
            [SIZE, "tokenizer=char"],
            "cuts target texts into words by WordLevel, but this run's tokenizer would cut them "
            "into characters by WordLevel; choose the tokenizer of that run",
        ),
        (
            [SIZE, "tokenizer.lowercase=true"],
            "cuts target texts into words by WordLevel, but this run's tokenizer would cut them "
            "into words by WordLevel after Lowercase; choose the tokenizer of that run",
        ),
        (
            [SIZE, "tokenizer@source_tokenizer=bpe"],
            "cuts source texts into words by WordLevel, but this run's tokenizer would cut them "
            "into pieces by BPE; choose the tokenizer of that run",
        ),
        (
            [SIZE, "tokenizer.shared=true"],
            "has no vocabulary for both sides, but tokenizer.shared=true; set "
            "tokenizer.shared=false",
        ),
        (
            [SIZE, "features=pixels", "frontend=patches"],
            "reads its sources with other `features` than this run; choose the features of that "
            "run",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_start_that_does_not_fit(
    train_tiny: Run, half_trained: Path, tmp_path: Path, overrides: list[str], what: str
) -> None:
    folder = tmp_path / "run"
    name = "target_table.weight"
    message = f"init_from={half_trained} {what.format(name=name)}, or leave init_from out."
    with pytest.raises(InputError) as caught:
        train_tiny(folder, *overrides, f"init_from={half_trained}")
    assert re.sub(r"frontend\.table\.weight", name, str(caught.value)) == message
    assert not folder.exists()


def states(train_tiny: Run, folder: Path, *overrides: str) -> dict[str, torch.Tensor]:
    """The weights of a run that begins somewhere and learns nothing."""
    train_tiny(folder, *overrides, "optimizer=sgd", "optimizer.lr=0", "test=false")
    return load_bundle(folder).model.state_dict()


def test_some_parts_begin_with_weights_and_others_fresh(
    train_tiny: Run, half_trained: Path, tmp_path: Path
) -> None:
    start = load_bundle(half_trained).model.state_dict()
    fresh = states(train_tiny, tmp_path / "fresh", SIZE)
    parts = (SIZE, f"init_from={half_trained}", "init_parts=[encoder,frontend]")
    mixed = states(train_tiny, tmp_path / "mixed", *parts)
    for name, weight in mixed.items():
        expected = start if name.startswith(("encoder.", "frontend.")) else fresh
        assert torch.equal(weight, expected[name]), name


def test_an_encoder_alone_begins_a_model_with_another_decoder_and_vocabulary(
    train_tiny: Run, half_trained: Path, tmp_path: Path
) -> None:
    start = load_bundle(half_trained).model.state_dict()
    parts = (SIZE, f"init_from={half_trained}", "init_parts=[encoder]", "dataset.symbols=7")
    mixed = states(train_tiny, tmp_path / "mixed", *parts, "decoder=cnn", "tokenizer=char")
    for name in mixed:
        if name.startswith("encoder."):
            assert torch.equal(mixed[name], start[name])


def test_rows_of_known_symbols_are_taken_over(
    train_tiny: Run, half_trained: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The bundle knows five letters and the four special symbols; the run has seven letters."""
    other = (SIZE, "dataset.symbols=7")
    fresh = states(train_tiny, tmp_path / "fresh", *other)
    begin = (f"init_from={half_trained}", "init_vocabulary=false")
    with caplog.at_level("INFO"):
        mixed = states(train_tiny, tmp_path / "mixed", *other, *begin)
    start = load_bundle(half_trained)
    after = load_bundle(tmp_path / "mixed").processors.target.symbols
    before = start.processors.target.symbols
    for row, symbol in enumerate(after):
        known = symbol in before
        expected = start.model.state_dict() if known else fresh
        place = before.index(symbol) if known else row
        for name in ("target_table.weight", "output.weight"):
            assert torch.equal(mixed[name][row], expected[name][place]), (name, symbol)
    assert len(after) == 11
    assert torch.equal(
        mixed["encoder.stack.layers.0.weight_ih_l0"],
        start.model.state_dict()["encoder.stack.layers.0.weight_ih_l0"],
    )
    log = (tmp_path / "mixed" / "train.log").read_text()
    assert f"output.weight has 9 of 11 target symbols from {half_trained}; the others" in log


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["init_parts=[encoder]"],
            "`init_parts` says what to take from a run, but init_from names none; add "
            "init_from=outputs/run, or leave init_parts out.",
        ),
        (
            ["init_parts=[encodr]", "init_from={run}", SIZE],
            "`init_parts` must hold parts of this run's model, which are frontend, encoder, "
            "target_table, decoder, output, but has 'encodr'; correct it.",
        ),
    ],
    ids=["no run", "no part"],
)
def test_parts_that_there_are_not(
    train_tiny: Run, half_trained: Path, tmp_path: Path, overrides: list[str], message: str
) -> None:
    given = [one.format(run=half_trained) for one in overrides]
    with pytest.raises(InputError) as caught:
        train_tiny(tmp_path / "run", *given)
    assert str(caught.value) == message


def test_the_network_is_assembled_and_the_bundle_read_once(
    train_tiny: Run, half_trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = Counter[str]()

    def counting(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **kwargs: Any) -> Any:
            calls[name] += 1
            return call(*args, **kwargs)

        return counted

    monkeypatch.setattr(build, "assemble", counting("assembled", build.assemble))
    monkeypatch.setattr(warm_start, "read_bundle", counting("read", warm_start.read_bundle))
    monkeypatch.setattr(reading, "assemble", counting("assembled", reading.assemble))
    train_tiny(tmp_path / "run", SIZE, f"init_from={half_trained}")
    assert calls == {"assembled": 1, "read": 1}


def test_frozen_parts_stay_as_the_start_had_them(
    train_tiny: Run, half_trained: Path, tmp_path: Path
) -> None:
    start = load_bundle(half_trained).model.state_dict()
    groups = "optimizer.groups={encoder: {frozen: true}, frontend: {frozen: true}}"
    train_tiny(tmp_path / "run", SIZE, f"init_from={half_trained}", groups, "test=false")
    after = load_bundle(tmp_path / "run").model.state_dict()
    for name in start:
        frozen = name.startswith(("encoder.", "frontend."))
        assert torch.equal(start[name], after[name]) == frozen, name
