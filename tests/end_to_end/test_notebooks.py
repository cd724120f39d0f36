"""The notebooks: without outputs in the repository, and each runs from top to bottom."""

import json
from pathlib import Path

import nbformat
import pytest
import torch
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[2] / "docs" / "notebooks"
NAMES = ("translation", "summarization", "captioning", "speech")
SMALL = ["data.overfit=16", "hidden_size=16", "max_length=8", "trainer.accelerator=cpu"]
PARAMETERS = {
    "translation": {"STEPS": 2},
    "summarization": {"STEPS": 2, "FOLDER": str(Path(torch.__file__).parent / "nn")},
    "captioning": {"STEPS": 2},
    "speech": {"STEPS": 2, "SIZE": 40},
}


def read(name: str) -> nbformat.NotebookNode:
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


def test_all_are_here_without_outputs() -> None:
    assert {path.stem for path in FOLDER.glob("*.ipynb")} == {*NAMES}
    for name in NAMES:
        notebook = read(name)
        nbformat.validate(notebook)
        assert 12 <= len(notebook.cells) <= 22
        for cell in (cell for cell in notebook.cells if cell.cell_type == "code"):
            assert cell.outputs == []
            assert cell.execution_count is None


def small(name: str) -> list[nbformat.NotebookNode]:
    """The cells of a notebook, with other values in the one that has its parameters."""
    cells: list[nbformat.NotebookNode] = read(name).cells
    (parameters,) = (cell for cell in cells if "parameters" in cell.metadata.get("tags", ()))
    values = {**PARAMETERS[name], "EXTRA": SMALL}
    for key, value in values.items():
        assert f"\n{key} = " in f"\n{parameters.source}"
        parameters.source += f"\n{key} = {json.dumps(value)}"
    return cells


@pytest.mark.filterwarnings("ignore")
def test_they_run_from_top_to_bottom(tmp_path: Path) -> None:
    """One kernel runs all of them, without what the one before has left, as it starts slowly."""
    reset = nbformat.v4.new_code_cell("%reset -f")
    together = nbformat.v4.new_notebook(
        cells=[cell for name in NAMES for cell in (*small(name), reset)]
    )
    for number, cell in enumerate(together.cells):
        together.cells[number] = {**cell, "id": f"cell-{number}"}
    notebook = nbformat.from_dict(together)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert not [one for one in shown if one.get("name") == "stderr"]
    figures = [one for one in shown if "image/png" in one.get("data", {})]
    assert len(figures) == 11
    assert len(list(tmp_path.glob("outputs/*/bundle/model.safetensors"))) == 4
