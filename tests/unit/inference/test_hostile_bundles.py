"""Some of the hostile bundles of ``benchmarks/``: each is refused in a sentence, or of use."""

import importlib
import shutil
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType, ModuleType

import pytest

SECONDS = 20
"""After which a bundle counts as endless, on however busy a machine."""


def load(name: str) -> ModuleType:
    """A module of ``benchmarks/``."""
    folder = str(Path(__file__).parents[3] / "benchmarks")
    if folder not in sys.path:
        sys.path.append(folder)
    return importlib.import_module(name)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A folder with the sound bundles, and a source for each."""
    hostile, folder = load("hostile_bundles"), tmp_path_factory.mktemp("sound")
    return folder, {name: hostile.write_sound(name, folder / name) for name in hostile.SOUND}


@pytest.fixture
def alarm() -> Iterator[None]:
    """An error for what does not end."""

    def ring(number: int, frame: FrameType | None) -> None:
        raise AssertionError(f"this takes more than {SECONDS} s")

    before = signal.signal(signal.SIGALRM, ring)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.usefixtures("alarm")
def test_hostile_bundles(
    sound: tuple[Path, dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use: Callable[[Path, str], tuple[str, str]] = load("bundle_faults").use
    folder, sources = sound
    monkeypatch.chdir(tmp_path)
    bad, tried = [], Counter[str]()
    for number, variant in enumerate(load("hostile_bundles").short_form(folder)):
        copied = Path(shutil.copytree(folder / variant.sound, tmp_path / str(number) / "bundle"))
        variant.damage(copied)
        signal.alarm(SECONDS)
        verdict, text = use(copied, sources[variant.sound])
        signal.alarm(0)
        wanted = ("works",) if variant.kind == "a sound bundle" else ("refused", "works")
        if verdict not in wanted or (copied / "sentinel").exists():
            bad.append((variant, verdict, text))
        tried[variant.kind] += 1
    assert not bad
    assert len(tried) == 8
    assert min(tried.values()) >= 6
