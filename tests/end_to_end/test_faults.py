"""The short form of ``benchmarks/faults.py``: a killed run leaves what an undisturbed one does."""

import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))
from kills import CASES, Victim
from run_files import in_child, kill_at_event, wait_for

STEPS = {
    "accumulated batches": (24, 18),
    "steps without epochs": (40, 30, 25),
    "averages": (130,),  # while the weights to keep are chosen
}
"""Before which change of a file a run is killed: once more each time that it is resumed."""


@pytest.mark.parametrize("case", STEPS)
def test_a_run_that_is_killed_several_times(tmp_path: Path, case: str) -> None:
    victim = Victim(tmp_path, CASES[case])
    for number in STEPS[case]:
        killed = in_child(victim.config, victim.log, kill_at_event(victim.killed, number))
        assert wait_for(killed) == -9
    assert victim.end() == []
