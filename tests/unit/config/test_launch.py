"""From a command line to a call, and what a mistake in it looks like."""

import os
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest
from omegaconf import DictConfig

from tandem.config import launch
from tandem.core import streams
from tandem.core.errors import InputError, NoRoomError
from tandem.core.printing import complain
from tandem.core.stopping import Stopped


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in an empty folder, with a command line that a test may change."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["tandem"])
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)


def complaint(capfd: pytest.CaptureFixture[str], *arguments: str, name: str = "train") -> str:
    calls: list[Any] = []
    with pytest.raises(SystemExit) as caught:
        launch.run(name, list(arguments), lambda cfg, command: calls.append(cfg))
    assert caught.value.code == 2
    assert not calls
    output = capfd.readouterr()
    assert output.out == ""
    assert output.err.startswith("error: ")
    assert output.err.count("\n") == 1
    assert not list(Path.cwd().iterdir())
    return output.err.removeprefix("error: ").rstrip("\n")


def test_the_call_gets_the_config_and_the_command() -> None:
    calls: list[tuple[DictConfig, str]] = []
    arguments = ["dataset=reverse", "encoder.num_layers=2", "run.name=a b"]
    launch.run("train", arguments, lambda cfg, command: calls.append((cfg, command)))
    ((cfg, command),) = calls
    assert cfg.encoder.num_layers == 2
    assert command == "tandem train dataset=reverse encoder.num_layers=2 'run.name=a b'"
    assert not list(Path.cwd().iterdir())


@pytest.mark.parametrize("flags", [[], ["--multirun"]], ids=["run", "multirun"])
@pytest.mark.parametrize(
    ("argument", "name"),
    [
        ("run.name='out/lr=0.1'", "out/lr=0.1"),
        ('run.name="it\'s, a $HOME\\\\"', "it's, a $HOME\\"),
        (r"run.name='\${seed}-`x`'", "${seed}-`x`"),
        ("run.name='${seed}-é'", "0-é"),
        ("++run.name='a\nb'", "a\nb"),
    ],
)
def test_the_command_repeats_the_run(
    tmp_path: Path, argument: str, name: str, flags: list[str]
) -> None:
    (tmp_path / "mine" / "encoder").mkdir(parents=True)
    (tmp_path / "mine" / "encoder" / "own.yaml").write_text("_target_: my.Encoder\n")
    given = ["--config-dir", "mine", "encoder=own", argument]
    calls: list[tuple[DictConfig, str]] = []
    launch.run("train", [*flags, *given], lambda *call: calls.append(call))
    program, command, *words = shlex.split(calls[0][1])
    assert (program, command) == ("tandem", "train")
    assert flags or words == given
    launch.run("train", words, lambda *call: calls.append(call))
    (first, _), (again, _) = calls
    assert (first.encoder, again.run.name) == (again.encoder, name)
    assert first.run.name == (f"{name}-0" if flags else name)


def test_several_runs_have_names_of_their_own() -> None:
    calls: list[tuple[str, str]] = []
    launch.run(
        "train",
        ["--multirun", "attention=none,dot"],
        lambda cfg, command: calls.append((cfg.run.folder, command)),
    )
    (first, one), (second, two) = calls
    assert first.startswith("outputs/")
    assert first.endswith("-none-gru-0")
    assert second.endswith("-dot-gru-1")
    assert (one, two) == ("tandem train attention=none", "tandem train attention=dot")


def test_a_mapping_that_users_name_replaces_the_experiments() -> None:
    experiment, groups = "experiment=rsicd/show_attend_tell", "{encoder.module: {lr_factor: 0.2}}"
    cfg = launch.compose("train", [experiment, f"optimizer.groups={groups}"])
    assert cfg.optimizer.groups == {"encoder.module": {"lr_factor": 0.2}}


def test_an_own_conf_folder_extends_ours(tmp_path: Path) -> None:
    own = tmp_path / "conf" / "encoder"
    own.mkdir(parents=True)
    (own / "mine.yaml").write_text("_target_: my.Encoder\n_partial_: true\n")
    calls: list[DictConfig] = []
    launch.run("train", ["encoder=mine"], lambda cfg, command: calls.append(cfg))
    assert calls[0].encoder._target_ == "my.Encoder"


def test_an_own_config_that_is_no_text(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    own = tmp_path / "conf" / "encoder"
    own.mkdir(parents=True)
    (own / "mine.yaml").write_bytes("# né\n_partial_: true\n".encode("latin-1"))
    with pytest.raises(SystemExit) as caught:
        launch.run("train", ["encoder=mine"], fail)
    assert caught.value.code == 2
    assert capfd.readouterr().err.startswith(f"error: Line 1 of the file {own}/mine.yaml must be U")


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        (
            "attention=aditive",
            "attention=aditive is not an option (did you mean additive?); the options are "
            "additive, concat, dot, general, local_m, local_p, location, multi_head, none.",
        ),
        (
            "metric=[bleuu]",
            "metric=bleuu is not an option (did you mean bleu?); the options are bleu, cer, chrf, "
            "cider, exact_match, per, rouge, ter, wer.",
        ),
        (
            "encoder.num_layer=3",
            "The key encoder.num_layer does not exist (did you mean num_layers?); encoder has "
            "bidirectional, cell, dropout, hidden_size, num_layers, output_dropout, reverse.",
        ),
        (
            "encoder.num_layers.deep=3",
            "The key encoder.num_layers.deep does not exist.",
        ),
        (
            "hidden_size",
            "The argument hidden_size cannot be read; write KEY=VALUE, and quote a value with "
            "special characters twice: 'KEY=\"VALUE\"'.",
        ),
        (
            "encoder=gru,lstm",
            "encoder=gru,lstm has several values; add --multirun to run each of them.",
        ),
        (
            "run.name=a,b",
            "run.name=a,b has several values; add --multirun to run each of them, or write "
            "'run.name=\"a,b\"' if it is one text.",
        ),
        (
            "run.name=out/lr=0.1",
            "The argument run.name=out/lr=0.1 cannot be read; for a text with special characters "
            "write 'run.name=\"out/lr=0.1\"'.",
        ),
        (
            "metric=[bleu",
            "The argument metric=[bleu cannot be read; write KEY=VALUE, and quote a value with "
            "special characters twice: 'KEY=\"VALUE\"'.",
        ),
        (
            "+hidden_size=3",
            "Could not append to config. An item is already at 'hidden_size'; leave out the + "
            "before it.",
        ),
        (
            "~nothing",
            "The config does not fit together: Could not delete from config. 'nothing' does not "
            "exist; correct the command line.",
        ),
    ],
)
def test_mistakes(capfd: pytest.CaptureFixture[str], argument: str, message: str) -> None:
    assert complaint(capfd, argument) == message


def test_unknown_names(capfd: pytest.CaptureFixture[str]) -> None:
    message = complaint(capfd, "attenion=dot")
    assert message.startswith("The key attenion does not exist (did you mean attention?); there ")
    message = complaint(capfd, "batch_size=3")
    assert message.startswith("The key batch_size does not exist (did you mean batching.max_sente")
    message = complaint(capfd, "metric=[bleu]", name="evaluate")
    assert message.startswith("tandem evaluate has no group metric; leave it out, as a trained ")
    message = complaint(capfd, "experiment=scan/dem")
    assert message.startswith("experiment=scan/dem is not an option (did you mean scan/demo?); ")
    assert complaint(capfd, "search=beem", name="evaluate") == (
        "search=beem is not an option (did you mean beam?); the options are beam, "
        "constrained, diverse, greedy, sampling."
    )
    message = complaint(capfd, "imput=a.txt", name="generate")
    assert message.startswith("The key imput does not exist (did you mean input?); there are ")


def test_a_mistake_beside_other_overrides(capfd: pytest.CaptureFixture[str]) -> None:
    message = complaint(capfd, "encoder=transformer", "encoder.num_head=2")
    assert message.startswith("The key encoder.num_head does not exist (did you mean num_heads?)")


def fail(cfg: DictConfig, command: str) -> None:
    raise InputError(f"The attention [{cfg.attention._target_}] cannot work; choose another.")


def test_bad_input_is_one_line(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        launch.run("train", ["attention=dot"], fail)
    assert caught.value.code == 2
    assert capfd.readouterr().err == (
        "error: The attention [tandem.attentions.DotAttention] cannot work; choose another.\n"
    )


def test_in_a_multirun_the_other_jobs_are_still_run(capfd: pytest.CaptureFixture[str]) -> None:
    seen = []

    def first_fails(cfg: DictConfig, command: str) -> None:
        seen.append(cfg.seed)
        if cfg.seed == 0:
            raise InputError("Not with this seed.")

    with pytest.raises(SystemExit) as caught:
        launch.run("train", ["--multirun", "seed=0,1,2"], first_fails)
    assert caught.value.code == 2
    assert seen == [0, 1, 2]
    error = capfd.readouterr().err
    assert "seed=0" in error
    assert error.endswith("error: Not with this seed.\n")


@pytest.mark.parametrize("saved", [True, False])
def test_a_stopped_run_says_how_to_go_on(capfd: pytest.CaptureFixture[str], saved: bool) -> None:
    def stopped(cfg: DictConfig, command: str) -> None:
        if saved:
            path = Path(cfg.run.folder) / "checkpoints" / "last.ckpt"
            path.parent.mkdir(parents=True)
            path.touch()
        raise Stopped(15)

    with pytest.raises(SystemExit) as caught:
        launch.run("train", ["seed=3", "++resume=false", "run.folder='a b=1'"], stopped)
    assert caught.value.code == 143
    assert capfd.readouterr().err == (
        "SIGTERM stopped the run; continue it with: tandem train seed=3 'run.folder=\"a b=1\"' "
        "resume=true\n"
        if saved
        else "SIGTERM stopped the run before its first checkpoint.\n"
    )


def test_our_own_bugs_keep_their_traceback() -> None:
    def bug(cfg: DictConfig, command: str) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        launch.run("train", [], bug)
    assert "HYDRA_FULL_ERROR" not in os.environ


def test_full_errors_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    from hydra.errors import MissingConfigException

    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    with pytest.raises(MissingConfigException):
        launch.run("train", ["encoder=nothing"], fail)
    assert os.environ["HYDRA_FULL_ERROR"] == "1"


def test_a_full_disk(capfd: pytest.CaptureFixture[str]) -> None:
    def full(cfg: DictConfig, command: str) -> None:
        raise OSError(28, "No space left on device", "metrics.csv")

    with pytest.raises(SystemExit) as caught:
        launch.run("train", [], full)
    assert caught.value.code == NoRoomError.exit_code == 3
    assert capfd.readouterr().err.endswith(
        "error: There is no room on the disk (No space left on device: metrics.csv); free some "
        "space and try again.\n"
    )


@pytest.mark.parametrize(("error", "code"), [(BrokenPipeError, 141), (KeyboardInterrupt, 130)])
def test_what_ends_quietly(
    error: type[BaseException],
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def call(cfg: DictConfig, command: str) -> None:
        raise error

    monkeypatch.setattr(streams, "drop_output", lambda: None)
    with pytest.raises(SystemExit) as caught:
        launch.run("generate", ["run=mine"], call)
    assert caught.value.code == code
    assert capfd.readouterr() == ("", "")


def test_control_characters_in_a_message(capfd: pytest.CaptureFixture[str]) -> None:
    complain(InputError("The file a\x1b]0;title\x07b is none."))
    assert capfd.readouterr().err == "error: The file a\\x1b]0;title\\x07b is none.\n"
