"""What Tab offers, by the function that the shells' scripts call, and by bash itself."""

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tandem.commands.completion import SHELLS, complete, main
from tandem.config.catalogue import config_groups
from tandem.core.errors import InputError

BF16 = ("trainer.precision=bf16-true", "trainer.precision=bf16")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("tandem tr", ["train"]),
        ("tandem --", ["--help", "--version"]),
        ("tandem train enc", ["encoder=", "encoder."]),
        ("tandem train encoder=", [f"encoder={name}" for name in config_groups()["encoder"]]),
        ("tandem train encoder=l", ["encoder=lstm"]),
        ("tandem train encoder.b", ["encoder.bidirectional="]),
        ("tandem train encoder=transformer encoder.num_h", ["encoder.num_heads="]),
        ("tandem train dataset=multi30k tokenizer.d", ["tokenizer.dropout="]),  # as that is BPE
        ("tandem train test=", ["test=true", "test=false"]),
        ("tandem train trainer.precision=bf", ["trainer.precision=bf16-mixed", *BF16]),
        ("tandem train metric=[bleu,ch", ["metric=[bleu,chrf"]),
        ("tandem train metric=[ter", ["metric=[ter"]),
        ("tandem train trainer.max_s", ["trainer.max_steps="]),
        ("tandem train callb", ["callbacks=", "callbacks."]),
        ("tandem train callbacks.bes", ["callbacks.best."]),
        ("tandem train callbacks.best.f", ["callbacks.best.folder="]),
        ("tandem train +callbacks.best.f", ["+callbacks.best.folder="]),
        ("tandem train experiment=g2p/l", ["experiment=g2p/lstm"]),
        ("tandem train tokenizer@", ["tokenizer@source_tokenizer="]),
        ("tandem train --help encoder.num_l", ["encoder.num_layers"]),
        ("tandem train --c", ["--cfg"]),
        ("tandem train run.folder=out", []),  # a file
        ("tandem train encoder=gruu encoder.num_l", ["encoder.num_layers="]),
        ("tandem evaluate search=beam search.w", ["search.width="]),
        ("tandem generate inp", ["input="]),
        ("tandem sweep g", ["g2p"]),
        ("tandem sweep g2p work", ["workers="]),
        ("tandem sweep g2p hidden", ["hidden_size="]),
        ("tandem completion z", ["zsh"]),
        ("tandem nothing a", []),
    ],
)
def test_words(line: str, words: list[str]) -> None:
    found = complete(line)
    if line == "tandem sweep g":
        found = [word for word in found if "=" not in word]
    assert found == words


def test_all_commands_and_keys_are_offered() -> None:
    assert {"train", "generate", "completion", "--help"} <= {*complete("tandem ")}
    assert {"encoder=", "encoder.", "seed=", "run.", "resume="} <= {*complete("tandem train ")}


def test_options_of_ones_own(tmp_path: Path) -> None:
    folder = tmp_path / "conf" / "encoder"
    folder.mkdir(parents=True)
    (folder / "mine.yaml").write_text("# Mine.\nrooms: 7  # of all\n")
    assert complete("tandem train encoder=mi") == ["encoder=mine"]
    assert complete("tandem train encoder=mine encoder.r") == ["encoder.rooms="]


@pytest.mark.parametrize("arguments", [[], ["csh"], ["words"], ["bash", "zsh"]])
def test_shells_that_there_is_no_script_for(arguments: list[str]) -> None:
    with pytest.raises(InputError, match="takes one of bash, zsh, fish, but got"):
        main(arguments)


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A folder with ``tandem`` in it, before all others."""
    script = tmp_path / "bin" / "tandem"
    script.parent.mkdir()
    code = f"#!{sys.executable}\nfrom tandem.commands.cli import main\nmain()\n"
    script.write_text(code)
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return f"{script.parent}{os.pathsep}{os.environ['PATH']}"


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
@pytest.mark.parametrize(
    ("line", "reply"),
    [
        ("tandem train encoder=l", ["lstm"]),  # bash has a word of its own behind =
        ("tandem train decoder.num_l", ["decoder.num_layers="]),
    ],
)
def test_bash(path: str, line: str, reply: list[str]) -> None:
    """Let bash call the function as it does on Tab."""
    words = line.replace("=", " = ").split()
    listed = " ".join(f"'{word}'" for word in words)
    program = (
        f"compopt() {{ :; }}\n{SHELLS['bash']}\nCOMP_LINE='{line}' COMP_POINT={len(line)} "
        f"COMP_CWORD={len(words) - 1}\nCOMP_WORDS=({listed})\n_tandem\n"
        'printf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    done = subprocess.run(
        ["bash", "-c", program],
        env={**os.environ, "PATH": path, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    assert done.stdout.split() == reply
