"""Studies by path and by name."""

from pathlib import Path

import pytest

from tandem.config.folders import find_study
from tandem.core.errors import InputError

SHIPPED = Path(__file__).parents[3] / "sweeps" / "g2p.yaml"


@pytest.mark.parametrize("name", ["g2p", "g2p.yaml", "sweeps/g2p.yaml", "sweeps/g2p"])
def test_studies_that_come_with_tandem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_study(name) == SHIPPED


def test_a_study_of_ones_own_goes_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sweeps").mkdir()
    (tmp_path / "sweeps" / "g2p.yaml").touch()
    assert find_study("sweeps/g2p.yaml") == Path("sweeps/g2p.yaml")
    assert find_study("g2p") == SHIPPED


@pytest.mark.parametrize("name", ["sweeps/g2q.yaml", "g2q", "elsewhere/g2p.yaml", "g2p.json"])
def test_no_study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as caught:
        find_study(name)
    message = str(caught.value)
    assert message.startswith(f"There is no study {name} (did you mean g2p?); give the path of a ")
    assert "attention_scan, depth_width, g2p, " in message
