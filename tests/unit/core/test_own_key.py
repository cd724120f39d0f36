"""What this user made on this machine is known again, and nothing else."""

import logging
import stat
from pathlib import Path

import pytest

from tandem.core.own_key import is_signed, key_path, signature

DATA = {"_target_": "tandem.data.datasets.reverse", "size": 3, "share": 0.1, "names": ["ä", None]}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path


def test_the_first_signature_makes_a_key_that_nobody_else_reads(home: Path) -> None:
    assert not is_signed(DATA, "0" * 64)
    assert not key_path().exists()
    signed = signature(DATA)
    assert stat.S_IMODE(key_path().stat().st_mode) == 0o600
    assert [path.name for path in (home / "config" / "tandem").iterdir()] == ["key"]
    assert signature(DATA) == signed
    assert is_signed(dict(reversed(DATA.items())), signed)


def test_nothing_else_is_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    signed = signature(DATA)
    for data, claimed in (
        ({**DATA, "size": 4}, signed),
        (DATA, None),
        (DATA, 7),
        (DATA, ""),
        (DATA, "é\ud800"),
        (DATA, str(signed)[:-1]),
    ):
        assert not is_signed(data, claimed)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "other"))
    assert not is_signed(DATA, signed)
    assert signature(DATA) != signed


def test_a_damaged_key_is_made_anew() -> None:
    signed = signature(DATA)
    key_path().write_bytes(b"")
    assert not is_signed(DATA, signed)
    again = signature(DATA)
    assert again != signed
    assert is_signed(DATA, again)


def test_without_a_place_for_the_key(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    (home / "config").touch()
    with caplog.at_level(logging.WARNING):
        assert signature(DATA) is None
    assert "so evaluate will ask for trust_dataset=true" in caplog.text
    assert not is_signed(DATA, None)
