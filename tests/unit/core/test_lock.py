"""One writer a folder."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tandem.core.lock import LockedError, is_locked, lock_folder

HOLDER = """
import sys, time
from pathlib import Path
from tandem.core.lock import lock_folder
with lock_folder(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_folder_has_one_holder_at_a_time(tmp_path: Path) -> None:
    assert not is_locked(tmp_path)
    with lock_folder(tmp_path):
        assert is_locked(tmp_path)
        with pytest.raises(LockedError, match="process"), lock_folder(tmp_path):
            pass
    assert not is_locked(tmp_path)
    with lock_folder(tmp_path):
        pass


def test_a_killed_holder_holds_nothing(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(LockedError, match=f"process {holder.pid} on"), lock_folder(tmp_path):
            pass
        holder.send_signal(signal.SIGKILL)
    assert not is_locked(tmp_path)
