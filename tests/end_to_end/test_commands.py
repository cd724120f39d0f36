"""``tandem evaluate`` and ``tandem generate`` on a finished run."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tandem.commands.evaluate import evaluate
from tandem.commands.generate import generate
from tandem.core import own_key
from tandem.core.errors import InputError
from tandem.core.lines import text_of
from tandem.data.tokenizers.tokenizer import Tokenizer
from tandem.inference.bundle import load_bundle

Compose = Callable[..., Any]


def test_evaluate_repeats_the_test_scores(compose_command: Compose, copied_run: Path) -> None:
    trained = json.loads((copied_run / "run.json").read_text())["metrics"]
    metrics = evaluate(compose_command("evaluate", f"run={copied_run}"), "tandem evaluate")
    assert metrics == pytest.approx({k: v for k, v in trained.items() if k.startswith("test/")})
    assert metrics["test/token_accuracy"] > 50
    (folder,) = (copied_run / "evaluations").iterdir()
    record = json.loads((folder / "metrics.json").read_text())
    assert record.pop("signatures").keys() == {"test/exact_match", "test/chrf"}
    assert record == {
        "metrics": metrics,
        "split": "test",
        "command": "tandem evaluate",
        "references": {"test": {"rows": 4, "unwritable": 0}},
    }
    assert len((folder / "hypotheses.txt").read_text().splitlines()) == 4


def test_hypotheses_are_one_line_each(
    compose_command: Compose, copied_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Tokenizer, "decode", lambda self, ids: "a\n\u2028\\b")
    evaluate(compose_command("evaluate", f"run={copied_run}"))
    (folder,) = (copied_run / "evaluations").iterdir()
    lines = (folder / "hypotheses.txt").read_text().splitlines()
    assert [text_of(line) for line in lines] == ["a\n\u2028\\b"] * 4


def test_evaluate_another_split_with_beam(compose_command: Compose, copied_run: Path) -> None:
    options = (f"run={copied_run}", "split=validation", "search=beam", "search.width=3")
    metrics = evaluate(compose_command("evaluate", *options))
    assert metrics.keys() == {
        "val/loss",
        "val/perplexity",
        "val/token_accuracy",
        "val/exact_match",
        "val/chrf",
    }


def test_evaluate_has_no_such_split(compose_command: Compose, finished_run: Path) -> None:
    with pytest.raises(InputError) as caught:
        evaluate(compose_command("evaluate", f"run={finished_run}", "split=dev"))
    assert str(caught.value) == "`split` must be one of train, validation, test, but is 'dev'."


def test_generate_from_file_to_file(
    compose_command: Compose, finished_run: Path, tmp_path: Path
) -> None:
    source, output = tmp_path / "source.txt", tmp_path / "output.txt"
    source.write_text("a b\nb\nc c a\n")
    options = (f"run={finished_run}", f"input={source}", f"output={output}")
    generate(compose_command("generate", *options))
    expected = load_bundle(finished_run).generate(["a b", "b", "c c a"])
    assert output.read_text().splitlines() == expected
    with pytest.raises(InputError) as caught:
        generate(compose_command("generate", *options))
    assert str(caught.value) == (
        f"The file {output} already exists; choose another output=... or remove it."
    )
    assert output.read_text().splitlines() == expected


def test_generate_from_standard_input(
    compose_command: Compose,
    finished_run: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    piped = SimpleNamespace(buffer=io.BytesIO(b"a b\nb"), isatty=lambda: False)
    monkeypatch.setattr(sys, "stdin", piped)
    generate(compose_command("generate", f"run={finished_run}", "search=beam"))
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_generate_answers_a_person(
    compose_command: Compose,
    finished_run: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    typed = iter(["a b", "", "a b c d e", "a new [word] a"])

    def answer(prompt: str) -> str:
        try:
            return next(typed)
        except StopIteration:
            raise EOFError from None

    monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("builtins.input", answer)
    generate(compose_command("generate", f"run={finished_run}", "max_source_length=4"))
    output = capsys.readouterr()
    assert load_bundle(finished_run).generate(["a b"])[0] in output.out.splitlines()
    assert "has 5 symbols, more than max_source_length=4" in output.err
    assert "Not in the vocabulary: new, [word]\n" in output.err
    assert output.err.count("Not in the vocabulary") == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a b\n\nb\n", "Line 2 of the input is empty; every line needs a source."),
        (
            b"a b\na b a b a b\n",
            "Line 2 of the input has 6 symbols, more than max_source_length=5; shorten it or raise "
            "max_source_length.",
        ),
        (
            b"a b\nb\xff\n",
            "Line 2 of the input {path} must be UTF-8, but has the byte 0xFF; convert the file, "
            "for example with iconv -f WINDOWS-1252 -t UTF-8.",
        ),
        (None, "The input {path} does not exist; correct the path."),
    ],
)
def test_unusable_inputs(
    compose_command: Compose,
    finished_run: Path,
    tmp_path: Path,
    content: bytes | None,
    message: str,
) -> None:
    path = tmp_path / "source.txt"
    if content is not None:
        path.write_bytes(content)
    options = (f"run={finished_run}", f"input={path}", "max_source_length=5")
    with pytest.raises(InputError) as caught:
        generate(compose_command("generate", *options, f"output={tmp_path / 'out.txt'}"))
    assert str(caught.value) == message.format(path=path)
    assert not (tmp_path / "out.txt").exists()


def test_generate_into_a_file_that_cannot_be(
    compose_command: Compose, finished_run: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "source.txt").write_text("a\n")
    options = (f"run={finished_run}", f"input={tmp_path / 'source.txt'}")
    with pytest.raises(InputError, match=r"out.txt cannot be written \(.*\); choose another out"):
        generate(compose_command("generate", *options, f"output={tmp_path / 'file' / 'out.txt'}"))


def test_no_run_given(compose_command: Compose) -> None:
    for name, call in (("evaluate", evaluate), ("generate", generate)):
        with pytest.raises(InputError) as caught:
            call(compose_command(name))
        assert str(caught.value) == (
            "The config needs a value for run; add run=... to the command line."
        )


def test_a_bundle_alone_is_enough(finished_run: Path) -> None:
    assert load_bundle(finished_run / "bundle").generate(["a b"]) == load_bundle(
        finished_run
    ).generate(["a b"])


def test_only_the_bundle_is_read(compose_command: Compose, copied_run: Path) -> None:
    hostile = f"dataset:\n  _target_: os.system\n  command: touch {copied_run}/sentinel\n"
    (copied_run / "config.yaml").write_text(hostile)
    for path in (copied_run / "checkpoints").iterdir():
        path.write_bytes(b"damaged")
    assert evaluate(compose_command("evaluate", f"run={copied_run}"))
    assert not (copied_run / "sentinel").exists()


@pytest.mark.parametrize("section", ["dataset", "metric"])
def test_a_hostile_bundle_runs_nothing(
    compose_command: Compose, copied_run: Path, section: str
) -> None:
    path = copied_run / "bundle" / "config.json"
    config = json.loads(path.read_text())
    hostile = {"_target_": "os.system", "command": f"touch {copied_run}/sentinel"}
    config[section] = hostile if section == "dataset" else {"exact_match": hostile}
    path.write_text(json.dumps(config))
    with pytest.raises(InputError, match=r"The bundle asks for 'os\.system', which is not a part"):
        evaluate(compose_command("evaluate", f"run={copied_run}", "trust_dataset=true"))
    assert not (copied_run / "sentinel").exists()
    assert not (copied_run / "evaluations").exists()


def test_a_dataset_of_somebody_elses_is_used_by_who_says_so(
    compose_command: Compose, copied_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*options: str) -> str:
        with pytest.raises(InputError) as caught:
            evaluate(compose_command("evaluate", f"run={copied_run}", *options))
        assert not (copied_run / "evaluations").exists()
        return str(caught.value)

    theirs = (
        f"You did not train {copied_run} on this machine, and the dataset that it names, "
        "tandem.data.datasets.reverse, may read files and use the network; look at `dataset` in "
        "the bundle's config.json, and add trust_dataset=true."
    )
    path = copied_run / "bundle" / "config.json"
    config = json.loads(path.read_text())
    with monkeypatch.context() as patch:  # another user, without a key and with one
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path / "other"))
        assert refused(f"data_dir={tmp_path}") == theirs
        assert own_key.signature("anything")
        assert refused() == theirs
    for change in ({"dataset": {**config["dataset"], "size": 50}}, {"dataset_signature": None}):
        path.write_text(json.dumps({**config, **change}))
        assert refused() == theirs
    assert evaluate(compose_command("evaluate", f"run={copied_run}", "trust_dataset=true"))


@pytest.mark.parametrize("how", ["link", "dangling link", "file"])
def test_results_are_not_written_through_a_link(
    compose_command: Compose, copied_run: Path, tmp_path: Path, how: str
) -> None:
    results, elsewhere = copied_run / "evaluations", tmp_path / "elsewhere"
    if how == "link":
        elsewhere.mkdir()
    if how == "file":
        results.touch()
    else:
        results.symlink_to(elsewhere)
    with pytest.raises(InputError) as caught:
        evaluate(compose_command("evaluate", f"run={copied_run}"))
    assert str(caught.value) == f"{results} must be a folder of the run's own; remove it."
    assert not elsewhere.exists() or not list(elsewhere.iterdir())


@pytest.mark.parametrize("command", [evaluate, generate], ids=["evaluate", "generate"])
def test_ctc_needs_a_model_that_has_it(
    finished_run: Path, compose_command: Compose, command: Callable[..., Any]
) -> None:
    options = (f"run={finished_run}", "search=beam", "scorer=ctc")
    with pytest.raises(InputError, match="scorer=ctc needs a model with a CTC layer"):
        command(compose_command(command.__name__, *options))


def test_a_dataset_of_ones_own_is_evaluated_by_who_trusts_its_package(
    compose_command: Compose,
    train_tiny: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code = (
        "from tandem.data.datasets import reverse\n\n\n"
        "def own(size, max_length, symbols, seed):\n"
        "    return reverse(size=size, max_length=max_length, symbols=symbols, seed=seed)\n"
    )
    (tmp_path / "tandem_test_own_dataset.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    metrics = train_tiny(tmp_path / "run", "dataset._target_=tandem_test_own_dataset.own")
    options = ("evaluate", f"run={tmp_path / 'run'}")
    with pytest.raises(InputError, match=r"asks for 'tandem_test_own_dataset\.own', which is not"):
        evaluate(compose_command(*options))
    again = evaluate(compose_command(*options, "trusted=[tandem_test_own_dataset]"))
    assert again["test/loss"] == pytest.approx(metrics["test/loss"])
