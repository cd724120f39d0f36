"""Exports that are damaged, or made to harm who loads them: each is refused in a sentence."""

import json
import shutil
from pathlib import Path

import onnx
import pytest
import torch

from tandem.commands.export import export
from tandem.config.bundles import place
from tandem.core import extras
from tandem.core.errors import InputError
from tandem.inference import load_bundle, read_bundle
from tandem.inference.files import CONFIG, digests


@pytest.fixture
def folder(exported, tmp_path) -> Path:
    """A copy of an export."""
    return Path(shutil.copytree(exported("transformer").folder, tmp_path / "copied"))


def edit(folder, change) -> None:
    """Change the config, and let all digests be right again."""
    config = json.loads((folder / CONFIG).read_text())
    change(config)
    config["sha256"] = {name: one for name, one in digests(folder).items() if name != CONFIG}
    (folder / CONFIG).write_text(json.dumps(config))


def refused(folder, **options) -> str:
    with pytest.raises(InputError) as caught:
        load_bundle(folder, **options).generate(["the cat", "a b"])
    return str(caught.value)


def renamed(graph: str, key: str):
    def change(config) -> None:
        config["export"][key][graph][0]["name"] = "other"

    return change


def without(key: str):
    return lambda config: config["export"].pop(key)


def put(key: str, value: object):
    return lambda config: config["export"].update({key: value})


UNUSABLE = {
    "no graphs": without("graphs"),
    "no step": lambda config: config["export"]["graphs"].pop("step"),
    "another graph": lambda config: config["export"]["graphs"].update(more="step.onnx"),
    "a file that is a number": lambda config: config["export"]["graphs"].update(step=7),
    "no inputs": without("inputs"),
    "inputs that are a text": put("inputs", "step"),
    "an input that has another name": renamed("step", "inputs"),
    "an output that has another name": renamed("encoder", "outputs"),
    "a start that gives something else": renamed("start", "outputs"),
    "no state": without("state"),
    "rows of something else": lambda config: config["export"]["state"][0].update(rows="batch"),
    "rows that are a list": lambda config: config["export"]["state"][0].update(rows=[1]),
    "a state twice": lambda config: config["export"]["state"].append(config["export"]["state"][0]),
    "scores of another kind": put("scores", "probabilities"),
    "a position that is a text": put("position", "true"),
    "no attention, but weights": put("attention", False),
    "all of it a list": lambda config: config.update(export=[]),
    "all of it nothing": lambda config: config.update(export=None),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_description_that_is_no_use(folder: Path, name: str) -> None:
    edit(folder, UNUSABLE[name])
    message = refused(folder)
    assert message.startswith(f"The file {folder / CONFIG} lacks a usable `export` (")
    assert message.endswith("); take the bundle from its run again.")


@pytest.mark.parametrize("file", ["/etc/passwd", "../secret", "config.json", "none.onnx", "."])
def test_files_that_are_none_of_the_graphs(folder: Path, file: str) -> None:
    (folder.parent / "secret").write_bytes((folder / "step.onnx").read_bytes())
    edit(folder, lambda config: config["export"]["graphs"].update(step=file))
    assert "bundle's file" in refused(folder)


def test_a_damaged_graph(folder: Path) -> None:
    (folder / "step.onnx").write_bytes((folder / "step.onnx").read_bytes()[:-9])
    assert "its SHA-256 is not the one in config.json" in refused(folder)
    edit(folder, lambda config: None)
    assert refused(folder).startswith(f"The graph {folder / 'step.onnx'} cannot be used (")


@pytest.mark.parametrize("location", ["../secret", "/etc/passwd", "beside"])
def test_a_graph_that_reads_other_files(folder: Path, location: str) -> None:
    model = onnx.load(folder / "start.onnx")
    tensor = model.graph.initializer[0]
    raw = tensor.raw_data
    for path in (folder / "beside", folder.parent / "secret"):
        path.write_bytes(raw)
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    (folder / "start.onnx").write_bytes(model.SerializeToString())
    edit(folder, lambda config: None)
    assert "cannot be used (its weights are in other files)" in refused(folder)


def test_a_graph_of_another_vocabulary(folder: Path) -> None:
    model = onnx.load(folder / "step.onnx")
    scores = next(one for one in model.graph.node if "scores" in one.output)
    place = [*scores.output].index("scores")
    scores.output[place] = "all_scores"
    model.graph.initializer.add(name="few", data_type=7, dims=[1], int64_data=[5])
    model.graph.initializer.add(name="none", data_type=7, dims=[1], int64_data=[0])
    model.graph.initializer.add(name="axis", data_type=7, dims=[1], int64_data=[1])
    inputs = ["all_scores", "none", "few", "axis"]
    model.graph.node.append(onnx.helper.make_node("Slice", inputs, ["scores"]))
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 5
    (folder / "step.onnx").write_bytes(model.SerializeToString())
    edit(folder, lambda config: None)
    message = refused(folder)
    assert message.startswith("The graph step.onnx gives scores (2, 5), ")
    assert message.endswith("; export the run again.")


def test_an_unknown_format(folder: Path) -> None:
    edit(folder, put("format", "onnx2"))
    assert refused(folder) == (
        f"The export {folder} has the format 'onnx2', but this Tandem runs onnx, torch, "
        "ctranslate2; use the Tandem that wrote it."
    )


def test_somebody_elses_programs_are_not_opened(exported, tmp_path, monkeypatch) -> None:
    one = exported("words", format="torch")
    folder = Path(shutil.copytree(one.folder, tmp_path / "copied"))
    assert load_bundle(folder)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "another user"))
    monkeypatch.setattr(torch.export, "load", None)  # which is not reached
    assert refused(folder) == (
        f"The export {folder} holds programs of torch.export, which can run any code, and was not "
        "made by you on this machine; add trusted=[torch.export] if you trust who made it, or ask "
        "for format=onnx."
    )
    monkeypatch.undo()
    edit(folder, put("weights", "other"))
    assert "was not made by you" in refused(folder)
    assert load_bundle(folder, trusted=["torch.export"]).generate(one.sources)


def test_what_an_export_is_not_for(folder: Path, compose_config, monkeypatch) -> None:
    with pytest.raises(InputError) as caught:
        read_bundle(folder)
    assert (
        str(caught.value)
        == f"{folder} is an export without weights of its own; give the run's folder."
    )
    with pytest.raises(InputError) as caught:
        export(compose_config("export", f"run={folder}", f"output={folder}-2"))
    assert (
        str(caught.value) == "An export cannot be exported again; name the run that it was made of."
    )
    with pytest.raises(InputError) as caught:
        place(load_bundle(folder), "gpu")
    assert str(caught.value) == (
        f"The export {folder} can be computed here on cpu, not on a cuda device; choose "
        "accelerator=cpu, or install onnxruntime-gpu in the place of onnxruntime."
    )
    place(load_bundle(folder), "auto")
    monkeypatch.setattr(extras, "find_spec", lambda package: None)
    assert refused(folder) == (
        "An export to ONNX needs the package onnxruntime, which is not installed; run "
        "pip install 'tandem-seq2seq[onnx]', or use the run itself."
    )
