"""What the console script answers by itself: help, and mistakes before anything is imported."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tandem.commands import cli
from tandem.commands.help import COMMANDS
from tandem.config.catalogue import config_groups, option_names, read_option, view


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in an empty folder, before a terminal of 80 columns."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")


def said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str
) -> str:
    monkeypatch.setattr(sys, "argv", ["tandem", *arguments])
    cli.main()
    output = capsys.readouterr()
    assert output.err == ""
    assert all(len(line) <= 80 for line in output.out.splitlines() if not line.startswith("tandem"))
    return output.out


def mistake(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str
) -> str:
    monkeypatch.setattr(sys, "argv", ["tandem", *arguments])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith("error: ")
    assert output.err.count("\n") == 1
    return output.err.removeprefix("error: ").rstrip("\n")


@pytest.mark.parametrize("flag", ["--help", "-h", "help", None])
def test_help_lists_the_commands(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, flag: str | None
) -> None:
    text = said(capsys, monkeypatch, *([flag] if flag else []))
    for command, what in COMMANDS.items():
        assert f"{command}  " in text
        assert what in text


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_every_command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    text = said(capsys, monkeypatch, command, "--help")
    assert "powered by" not in text.lower()
    words = text.replace("[", " ").replace("]", " ").split()
    if command == "completion":
        return
    known = view(command)
    for default in known.groups.values():
        assert default.name in words
        assert set(option_names(default.group)) <= set(words)
    if command == "train":
        assert {default.group for default in known.groups.values()} == config_groups().keys()
        assert {"model.copying", "optimizer.groups"} <= set(words)  # with every option
    for name in ("encoder.num_layers", "callbacks.best.folder", "metric.exact_match.lowercase"):
        assert name not in words  # an option's own keys are its help's
    if command == "score":
        assert "(needed)  file with the target of each source" in text
    if command == "sweep":
        assert "g2p" in words


@pytest.mark.parametrize("group", config_groups())
def test_help_of_every_group_and_option(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, group: str
) -> None:
    text = said(capsys, monkeypatch, "train", group, "--help")
    assert text.lstrip().startswith(f"{group}: ")
    options = option_names(group)
    assert set(options) <= set(text.replace("[", " ").replace("]", " ").split())
    text = said(capsys, monkeypatch, "train", "--help", *(f"{group}={one}" for one in options))
    for option in options:
        assert f"{group}={option}" in text
        assert " ".join(read_option(group, option).summary[0].split()[:3]) in text


def test_help_of_an_option_and_of_keys(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = said(capsys, monkeypatch, "train", "--help", "encoder=transformer")
    assert "encoder.num_heads" in text
    assert "must divide" in text
    assert "${hidden_size}" in text
    text = said(capsys, monkeypatch, "train", "--help", "optimizer.lr", "data")
    assert "learning rate" in text
    assert "It must be a finite number of at least 0." in text
    assert "data.streaming" in text
    text = said(capsys, monkeypatch, "generate", "search=beam", "--help")
    assert "search.width" in text
    text = said(capsys, monkeypatch, "train", "--help", "dataset=multi30k")
    assert "It chooses tokenizer=bpe metric=[bleu,chrf]." in text


def test_help_of_ones_own_options(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "conf" / "encoder" / "mine.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("# My [red]own[/red] :tada:.\n_target_: mine.Encoder\nrooms: 7  # [/] of all\n")
    assert "mine" in said(capsys, monkeypatch, "train", "--help").split()
    text = said(capsys, monkeypatch, "train", "--help", "encoder=mine")
    assert "My [red]own[/red] :tada:." in text
    assert "encoder.rooms  7  [/] of all" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["trian"], "There is no command 'trian' (did you mean train?); choose one of train, "),
        (["train", "scan"], "The word scan has no key; write dataset=scan, or see "),
        (["train", "gru"], "The word gru has no key; write decoder=gru or encoder=gru, "),
        (["train", "--multirun", "nothing"], "The word nothing has no key; write KEY="),
        (["generate", "outputs/mine"], "The word outputs/mine has no key; write run=ou"),
        (["evaluate", "outputs/mine"], "The word outputs/mine has no key; write run=ou"),
        (["score", "outputs/mine"], "The word outputs/mine has no key; write run=ou"),
        (["sweep", "g2q"], "There is no study g2q (did you mean g2p?); give the path of a YAML"),
        (["sweep", "g2p", "hiden_size=3"], "The key hiden_size is neither one of the sweep (file"),
        (["train", "--help", "encodr"], "encodr is neither a group nor a key of tandem train (did"),
        (
            ["train", "--help", "dataset.delimiter"],
            "The key dataset.delimiter belongs to dataset=a",
        ),
        (["generate", "--input", "a.txt"], "The word a.txt has no key; write input=a.txt without"),
        (["train", "--help", "encoder=gruu"], "encoder=gruu is not an option (did you mean gru?)"),
        (["train", "hidden_size=abc"], "`hidden_size` must be a whole number of at least 1, but"),
        (["generate", "run=a", "n_best=x"], "`n_best` must be a whole number of at least 1 or "),
    ],
    ids=" ".join,
)
def test_mistakes(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    message: str,
) -> None:
    assert mistake(capsys, monkeypatch, *arguments).startswith(message)


@pytest.mark.parametrize("command", ["generate", "evaluate", "score"])
@pytest.mark.parametrize("terminal", [True, False])
def test_a_person_is_told_at_once_what_is_loaded(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    terminal: bool,
) -> None:
    """Before the command's own module is imported."""
    imported: list[str] = []

    def stop(name: str) -> None:
        imported.append(name)
        raise ImportError

    monkeypatch.setattr(cli, "import_module", stop)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    with pytest.raises(ImportError):
        cli._work(command, SimpleNamespace(run="a [b] c"), "")
    assert imported == [f"tandem.commands.{command}"]
    assert ("Loading a [b] c ..." in capsys.readouterr().err) == terminal
