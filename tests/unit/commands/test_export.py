"""``tandem export``: what it writes, and what it refuses before any work."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tandem.commands.export import export
from tandem.core import extras
from tandem.core.errors import InputError
from tandem.export import base, folder
from tandem.export.base import FORMATS, Exporter, Format
from tandem.inference.files import CONFIG, digests

NAMES = ", ".join(FORMATS)


class Written(Exporter):
    """A format of its own: one file, and no graphs."""

    fails = False

    def check(self, bundle: Any) -> None:
        if self.fails:
            raise InputError("It cannot.")

    def write(self, bundle: Any, folder: Path, *, weights: str) -> Mapping[str, Any]:
        (folder / "part").mkdir()
        (folder / "part/model.bin").write_bytes(b"model")
        return {"format": "mine", "weights": weights}

    def usage(self, output: Path) -> str:
        return f"read {output}"


@pytest.fixture
def mine(monkeypatch: pytest.MonkeyPatch) -> type[Written]:
    monkeypatch.setitem(base.FORMATS, "mine", Format("own:Written", "none"))
    monkeypatch.setattr(base, "import_module", lambda name: SimpleNamespace(Written=Written))
    monkeypatch.setattr(Written, "fails", False)
    return Written


@pytest.fixture
def refused(compose_config):
    def call(*overrides: str) -> str:
        with pytest.raises(InputError) as caught:
            export(compose_config("export", *overrides))
        return str(caught.value)

    return call


def test_an_export_is_a_bundle_without_its_weights(small_bundle, compose_config, mine, capsys):
    run = small_bundle("run/bundle").parent
    output = export(compose_config("export", f"run={run}", "format=mine"))
    assert output == run / "export-mine-float32"
    files = {path.relative_to(output).as_posix() for path in output.rglob("*") if path.is_file()}
    tokenizers = {"source_tokenizer.json", "target_tokenizer.json"}
    assert files == {CONFIG, "part/model.bin", *tokenizers}
    config, before = (json.loads((one / CONFIG).read_text()) for one in (output, run / "bundle"))
    assert config["export"] == {"format": "mine", "weights": "float32"}
    assert config["sha256"].keys() == files - {CONFIG}
    assert config["sha256"].items() <= digests(output).items()
    assert {key: config[key] for key in before.keys() - {"sha256"}} == {
        key: before[key] for key in before.keys() - {"sha256"}
    }
    log = capsys.readouterr().err
    assert f"read {output}" in log
    assert "part/model.bin" in log


def test_what_fails_leaves_nothing(small_bundle, compose_config, mine, monkeypatch) -> None:
    def fail(*given: Any) -> None:
        raise OSError("no")

    run = small_bundle("run/bundle").parent
    monkeypatch.setattr(folder, "write_text", fail)
    with pytest.raises(OSError, match="no"):
        export(compose_config("export", f"run={run}", "format=mine"))
    assert [path.name for path in run.iterdir()] == ["bundle"]


def test_the_format_is_asked_first(small_bundle, refused, mine, monkeypatch) -> None:
    run = small_bundle("run/bundle").parent
    monkeypatch.setattr(Written, "fails", True)
    assert refused(f"run={run}", "format=mine") == "It cannot."
    assert [path.name for path in run.iterdir()] == ["bundle"]


def test_bad_input(small_bundle, refused, mine, tmp_path, monkeypatch) -> None:
    run = small_bundle("run/bundle").parent
    ours = f"run={run}"
    assert refused(f"run={tmp_path}", "format=mine").startswith(
        f"There is no bundle in {tmp_path}:"
    )
    assert refused(ours, "format=onxn") == (
        f"`format` must be one of {NAMES}, mine, but is 'onxn' (did you mean onnx?)."
    )
    assert refused(ours, "format=mine", "weights=int8") == (
        "format=mine writes weights=float32, but got weights=int8; choose one of these, or another "
        "format."
    )
    assert refused(ours, "weights=int4").startswith("`weights` must be one of float32, int8,")
    assert refused(ours, "format=mine", f"output={tmp_path}") == (
        f"The folder {tmp_path} already exists; choose another output=... or remove it."
    )
    inside = run / "bundle" / "mine"
    assert refused(ours, "format=mine", f"output={inside}") == (
        f"The folder {inside} would lie in a bundle, which its run may replace; choose another "
        "output=..."
    )
    assert refused(f"run=[{run},{run}]", "format=mine") == (
        f"`run` must be one folder here, but is ['{run}', '{run}']; export each alone."
    )


@pytest.mark.parametrize("name", FORMATS)
def test_a_missing_package_is_told_at_once(name: str, refused, monkeypatch) -> None:
    chosen = FORMATS[name]
    monkeypatch.setattr(extras, "find_spec", lambda package: None)
    message = refused("run=none", f"format={name}")
    if chosen.packages:
        assert message == (
            f"format={name} needs the package {chosen.packages[0]}, which is not installed; run "
            f"pip install 'tandem-seq2seq[{chosen.extra}]', or choose another format."
        )
    else:
        assert message.startswith("There is no bundle in none:")
