"""``tandem serve``: which models it finds, and what it refuses before it starts."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tandem.commands import cli
from tandem.commands.serve import part_names, search_kinds, served_folders
from tandem.config.catalogue import option_names
from tandem.core import extras

SmallBundle = Callable[..., Path]


def said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str
) -> str:
    monkeypatch.setattr(sys, "argv", ["tandem", "serve", *arguments])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 2
    return capsys.readouterr().err


def test_models_are_named_as_their_runs(small_bundle: SmallBundle, tmp_path: Path) -> None:
    run, bundle = small_bundle("runs/one/bundle").parent, small_bundle("two")
    small_bundle("runs/three/bundle")
    (tmp_path / "runs" / "none").mkdir()
    assert served_folders([str(run), str(bundle)]) == {"one": run, "two": bundle}
    assert [*served_folders([str(tmp_path / "runs")])] == ["one", "three"]
    assert served_folders([f"{run}/bundle", str(run)]) == {"one": run}


def test_models_of_one_name(small_bundle: SmallBundle) -> None:
    first, second = small_bundle("a/mine"), small_bundle("b/mine")
    assert served_folders([str(first), str(second)]) == {"mine": first, "mine-2": second}


def test_a_folder_without_bundles(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    message = said(capsys, monkeypatch, str(tmp_path), "port=0")
    assert message.splitlines()[-1].startswith(f"error: There is no bundle in {tmp_path}: neither")


def test_a_missing_package(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    message = said(capsys, monkeypatch, "run=a")
    assert message.splitlines()[-1] == (
        "error: tandem serve needs the package fastapi, which is not installed; run pip install "
        "'tandem-seq2seq[serve]', or use tandem generate."
    )


@pytest.mark.parametrize(
    ("argument", "begins"),
    [
        ("port=70000", "error: `port` must be a whole number from 0 to 65535, but is 70000."),
        ("timeout=0", "error: `timeout` must be a finite number above 0, but is 0."),
        ("max_width=0", "error: `max_width` must be a whole number of at least 1, but is 0."),
        ("prot=8000", "error: "),
    ],
)
def test_bad_values(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    argument: str,
    begins: str,
) -> None:
    assert said(capsys, monkeypatch, "outputs/mine", argument).startswith(begins)


def test_every_search_and_every_part_has_its_name() -> None:
    kinds = search_kinds()
    assert [*kinds] == option_names("search")
    for kind in kinds.values():
        assert all(option.help for option in kind.options.values()), kind.name
    assert {*option_names("attention")} == {
        name for name in part_names().values() if name in option_names("attention")
    }
