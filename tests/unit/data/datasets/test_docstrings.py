"""Docstrings: what is read, that splits share nothing, the cache, the environment."""

import importlib
import logging
import sys
from pathlib import Path
from typing import Any

import pytest

from tandem.core.errors import InputError
from tandem.data.datasets import docstrings

MODULE = importlib.import_module("tandem.data.datasets.docstrings")  # the function has its name


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TANDEM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def load(folder: Path | None, **changes: Any) -> dict[str, list[tuple[str, str]]]:
    data_dir = None if folder is None else str(folder)
    data = docstrings(**{"min_words": 3, "held_out": 0.2, "data_dir": data_dir, **changes})
    return {
        name: list(zip(split["source"], split["target"], strict=True))
        for name, split in data.items()
    }


def function(name: str, summary: str, body: str) -> str:
    return f'def {name}():\n    """{summary}\n\n    {body}\n    """\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Forty files of a function each, with words of their own."""
    made = tmp_path / "code"
    made.mkdir()
    for i in range(40):
        text = function("f", f"Do thing number{i} now.", " ".join(f"w{i}x{j}" for j in range(20)))
        (made / f"m{i}.py").write_text(text)
    return made


def test_modules_classes_methods_and_nested_functions(tmp_path: Path, folder: Path) -> None:
    text = '''r"""The module tells this.

Its own \\d body text.
"""
import nothing_that_exists
if True:
    class A:
        """The class tells this.

        Body of the class.
        """
        async def f(self):
            """The method tells this.

            Body of the method.
            """
            def g():
                """The function tells this.

                Body of the function.
                """
            return "Not a docstring.\\n\\nAt all, this."
'''
    (folder / "every.py").write_text(text)
    found = [pair for split in load(folder).values() for pair in split]
    assert {pair for pair in found if "tells" in pair[1]} == {
        ("Its own \\d body text.", "The module tells this."),
        ("Body of the class.", "The class tells this."),
        ("Body of the method.", "The method tells this."),
        ("Body of the function.", "The function tells this."),
    }
    assert len(found) == 44


def test_what_is_left_out(folder: Path) -> None:
    (folder / "short.py").write_text(function("f", "Do a short thing.", "Two words"))
    (folder / "again.py").write_text(
        function("f", "Do it once more.", " ".join(f"W{0}x{j}" for j in range(20)))
    )
    (folder / "old.py").write_text("print 'no Python 3'\n" + function("f", "Do it so.", "a b c d"))
    (folder / "half.py").write_text(function("f", "Do a half thing.", r"\ud800 is half a letter"))
    (folder / "tests").mkdir()
    (folder / "tests" / "test_a.py").write_text(function("f", "Do a test thing.", "a b c d"))
    pairs = [pair for split in load(folder).values() for pair in split]
    summaries = [summary for _, summary in pairs if "number" not in summary]
    assert len(pairs) == 41  # again.py comes before m0.py, whose body is the same
    assert sorted(summaries) == ["Do a half thing.", "Do it once more."]
    assert ("is half a letter", "Do a half thing.") in pairs


def test_splits_follow_from_names_and_share_nothing(folder: Path) -> None:
    before = load(folder)
    assert {name: len(split) for name, split in before.items()} == {
        name: sum(MODULE._split(f"m{i}.py", 0.2) == name for i in range(40)) for name in before
    }
    held_out = [i for i in range(40) if MODULE._split(f"m{i}.py", 0.2) == "test"]
    trained = [i for i in range(40) if MODULE._split(f"m{i}.py", 0.2) == "train"]
    copied, same, kept = held_out[:3]
    body = " ".join(f"w{trained[0]}x{j}" for j in range(20))
    (folder / f"m{copied}.py").write_text(function("f", "Do copied work.", f"{body} and more"))
    (folder / f"m{same}.py").write_text(
        function("f", f"Do thing, number{trained[1]} now.", "q r s")
    )
    (folder / f"m{kept}.py").write_text(
        function("f", "Do other work.", " ".join([*body.split()[:8], *(f"z{j}" for j in range(8))]))
    )
    after = load(folder)
    assert after["train"] == before["train"]
    assert len(after["test"]) == len(before["test"]) - 2
    assert "Do other work." in [summary for _, summary in after["test"]]


def test_cache(
    folder: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="tandem")
    first = load(folder)
    assert len(caplog.messages) == 2
    monkeypatch.setattr(MODULE, "_make", None)  # a second reading would fail
    assert load(folder) == first
    assert caplog.messages[2] == caplog.messages[1]
    assert f"Docstrings of 40 files in {folder}: train " in caplog.messages[1]
    monkeypatch.undo()
    monkeypatch.setenv("TANDEM_CACHE", str(own_cache))
    (folder / "m0.py").write_text(function("f", "Do something else.", "other words than before"))
    assert load(folder) != first
    fingerprints = {message.split()[-1] for message in caplog.messages if "fingerprint" in message}
    assert len(fingerprints) == 2
    for path in own_cache.rglob("*.json"):
        path.write_text("{")
    assert load(folder) == load(folder)


def test_environment(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Packages on the path are read by their records; this project and tests are not."""
    site = tmp_path / "site"
    for name, file in (("one", "one/a.py"), ("two", "two/b.py"), ("tandem-x", "tandem/c.py")):
        (site / file).parent.mkdir(parents=True)
        (site / file).write_text(function("f", f"Do what {name} does.", f"Body of {name} here."))
        meta = site / f"{name.replace('-', '_')}-1.0.dist-info"
        meta.mkdir()
        (meta / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (meta / "RECORD").write_text(f"{file},,\n{meta.name}/RECORD,,\n../../bin/script.py,,\n")
    monkeypatch.setattr(sys, "path", [str(site)])
    monkeypatch.setattr(MODULE.sysconfig, "get_path", lambda name: str(folder))
    summaries = [summary for split in load(None).values() for _, summary in split]
    assert len(summaries) == 42
    assert {"Do what one does.", "Do what two does."} < set(summaries)


def test_options(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        docstrings(min_words=0, held_out=0.1, data_dir=None)
    assert str(caught.value) == "dataset.min_words (0) must be at least 1."
    with pytest.raises(
        InputError, match=r"dataset.held_out \(0.5\) must lie between 0 and 0.5, as"
    ):
        docstrings(min_words=1, held_out=0.5, data_dir=None)
    with pytest.raises(InputError, match="The train split is empty"):
        docstrings(min_words=1, held_out=0.1, data_dir=str(tmp_path))
