"""Training that begins with the weights and tokenizers of another run."""

import json
import math
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


FRESH = "; choose the parts and sizes of that run, or take over no "


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            [],
            "has frontend.embedding_size=32, but this run's model frontend.embedding_size=8"
            f"{FRESH}frontend: init_from={{model: FOLDER, frontend: null}}.",
        ),
        (
            [SIZE, "encoder.num_layers=2"],
            "has encoder.num_layers=1, but this run's model encoder.num_layers=2"
            f"{FRESH}encoder: init_from={{model: FOLDER, encoder: null}}.",
        ),
        (
            [SIZE, "objective.ctc_weight=0.3"],
            "has no ctc, which this run's model has"
            f"{FRESH}ctc: init_from={{model: FOLDER, ctc: null}}.",
        ),
        (
            [SIZE, "attention=none"],
            "has decoder.attention=AdditiveAttention, but this run's model "
            f"decoder.attention=NoAttention{FRESH}decoder: "
            "init_from={model: FOLDER, decoder: null}.",
        ),
        (
            [SIZE, "tokenizer=char"],
            "tokenizes target texts into words by WordLevel, but this run's tokenizer would split "
            "them into characters by WordLevel; choose the tokenizer of that run, or learn a "
            "vocabulary here: init_from={model: FOLDER, target_vocabulary: null}.",
        ),
        (
            [SIZE, "tokenizer@source_tokenizer=bpe"],
            "tokenizes source texts into words by WordLevel, but this run's tokenizer would split "
            "them into pieces by BPE; choose the tokenizer of that run, or learn a vocabulary "
            "here: init_from={model: FOLDER, source_vocabulary: null}.",
        ),
        (
            [SIZE, "tokenizer.shared=true"],
            "has no vocabulary for both sides, but tokenizer.shared=true; set "
            "tokenizer.shared=false, or leave init_from out.",
        ),
        (
            [SIZE, "features=pixels", "frontend=patches"],
            "reads its sources with other `features` than this run; choose the features of that "
            "run, or take over no frontend: init_from={model: FOLDER, frontend: null}.",
        ),
        (
            [SIZE, "model.tie_embeddings=target"],
            "has another output.weight than FOLDER has target_table.weight; set "
            "model.tie_embeddings so that they are two, or take over one: "
            "init_from={model: FOLDER, output: null}.",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_start_that_does_not_fit(
    train_tiny: Run, half_trained: Path, tmp_path: Path, overrides: list[str], message: str
) -> None:
    folder = tmp_path / "run"
    with pytest.raises(InputError) as caught:
        train_tiny(folder, *overrides, f"init_from={half_trained}")
    assert (
        str(caught.value)
        .replace(str(half_trained), "FOLDER")
        .endswith(f"init_from=FOLDER {message}")
    )
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
    parts = (SIZE, f"init_from={{encoder: {half_trained}}}")
    mixed = states(train_tiny, tmp_path / "mixed", *parts)
    for name, weight in mixed.items():
        expected = start if name.startswith(("encoder.", "frontend.")) else fresh
        assert torch.equal(weight, expected[name]), name


def test_an_encoder_alone_begins_a_model_with_another_decoder_and_vocabulary(
    train_tiny: Run, half_trained: Path, tmp_path: Path
) -> None:
    start = load_bundle(half_trained).model.state_dict()
    parts = (SIZE, f"init_from={{encoder: {half_trained}, frontend: null}}", "dataset.symbols=7")
    mixed = states(train_tiny, tmp_path / "mixed", *parts, "decoder=cnn", "tokenizer=char")
    for name in mixed:
        if name.startswith("encoder."):
            assert torch.equal(mixed[name], start[name])


def test_rows_of_known_symbols_are_taken_over(
    train_tiny: Run, half_trained: Path, tmp_path: Path
) -> None:
    """The bundle knows five letters and the four special symbols; the run has seven letters."""
    other = (SIZE, "dataset.symbols=7")
    fresh = states(train_tiny, tmp_path / "fresh", *other)
    vocabularies = "source_vocabulary: null, target_vocabulary: null"
    begin = (f"init_from={{model: {half_trained}, {vocabularies}}}",)
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
    assert f"output.weight has 9 of 11 symbols from {half_trained}; the others" in log


def test_parts_of_two_runs_bring_their_vocabularies(
    train_tiny: Run, train_once: Run, half_trained: Path, tmp_path: Path
) -> None:
    """The other run has seven letters, CTC and a copier's tied table; not all of it is wanted."""
    other = train_once(
        "seven_letters", SIZE, "dataset.symbols=7", "objective.ctc_weight=0.3", "test=false"
    )
    begin = f"init_from={{encoder: {half_trained}, decoder: {other}, ctc: {other}}}"
    options = (SIZE, begin, "dataset.symbols=3", "objective.ctc_weight=0.3")
    mixed = states(train_tiny, tmp_path / "mixed", *options)
    first, second = load_bundle(half_trained), load_bundle(other)
    for name, weight in mixed.items():
        of_first = name.startswith(("encoder.", "frontend."))
        expected = (first if of_first else second).model.state_dict()[name]
        assert torch.equal(weight, expected), name
    after = load_bundle(tmp_path / "mixed").processors
    assert after.source.tokenizers[0].symbols == first.processors.source.tokenizers[0].symbols
    assert after.target.symbols == second.processors.target.symbols
    log = (tmp_path / "mixed" / "train.log").read_text()
    assert f"Warm start: frontend, encoder, source vocabulary from {half_trained}" in log
    assert f"Warm start: target_table, decoder, output, ctc, target vocabulary from {other}" in log


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["init_from={encodr: FOLDER}"],
            "`init_from` must name parts, which are frontend, encoder, target_table, decoder, "
            "output and what is in them, source_vocabulary, target_vocabulary, and model for all "
            "others, but has 'encodr'; correct it.",
        ),
        (
            ["init_from={encoder: null}"],
            "`init_from` names no run to begin with; give one, such as "
            "init_from={encoder: outputs/run}, or set init_from=null.",
        ),
        (
            ["init_from={encoder: FOLDER, decoder: FOLDER/bundle}", "tokenizer.shared=true"],
            "tokenizer.shared=true makes one vocabulary of both sides, but init_from takes that of "
            "sources from FOLDER and that of targets from FOLDER/bundle; set "
            "tokenizer.shared=false, or init_from={encoder: FOLDER, decoder: FOLDER/bundle, "
            "source_vocabulary: FOLDER/bundle}.",
        ),
        (
            ["init_from={decoder: FOLDER}", "encoder.hidden_size=48", "encoder.num_layers=2"],
            "init_from=FOLDER has the weight decoder.bridge.linear.weight in the shape (32, 32), "
            "but this run's model in the shape (32, 48); choose the parts and sizes of that run, "
            "or take over no decoder: init_from={decoder: null}.",
        ),
    ],
    ids=["no part", "no run", "two vocabularies", "another memory"],
)
def test_parts_that_there_are_not(
    train_tiny: Run, half_trained: Path, tmp_path: Path, overrides: list[str], message: str
) -> None:
    given = [one.replace("FOLDER", str(half_trained)) for one in overrides]
    with pytest.raises(InputError) as caught:
        train_tiny(tmp_path / "run", SIZE, *given)
    assert str(caught.value).replace(str(half_trained), "FOLDER") == message


def test_a_part_of_a_part_may_begin_fresh(
    train_tiny: Run, half_trained: Path, tmp_path: Path
) -> None:
    begin = f"init_from={{decoder: {half_trained}, decoder.attention: null}}"
    start = load_bundle(half_trained).model.state_dict()
    mixed = states(train_tiny, tmp_path / "run", SIZE, begin, "attention=dot", "encoder=lstm")
    taken = [name for name in mixed if name in start and torch.equal(mixed[name], start[name])]
    assert "decoder.stack.layers.0.weight_hh_l0" in taken
    assert all(name.startswith(("decoder.", "target_table.", "output.")) for name in taken)


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
