"""Memories on disk: what was written is read, by the numbers of sources."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tandem.core.errors import InputError
from tandem.core.memory import Memory
from tandem.data.memories import read_memories, write_memories

SOURCE = torch.tensor([[4, 5, 2], [6, 2, 0]])


def memory(*rows: list[int], copied: bool) -> Memory:
    """States 1.5 times what the mask says, of size 2, and summaries like the first row's number."""
    mask = torch.tensor(rows, dtype=torch.bool)
    states = 1.5 * torch.tensor(rows).unsqueeze(2).expand(-1, -1, 2)
    summary = torch.arange(2.0 * len(rows)).view(-1, 2) + sum(map(sum, rows))
    return Memory(states, mask, summary, SOURCE if copied else None)


@pytest.mark.parametrize("copied", [False, True])
def test_what_was_written_is_read(tmp_path: Path, copied: bool) -> None:
    """Also where a mask has holes; padding at the end is not kept."""
    path = tmp_path / "a.memories"
    first = memory([1, 0, 1, 0], [1, 1, 0, 0], copied=copied)
    second = memory([1, 1, 1], copied=copied)
    assert read_memories(path, np.array([7])) is None
    write_memories(path, 2, [(np.array([9, 3]), first), (np.array([7]), second)])
    memories = read_memories(path, np.array([7, 9, 3, 9]))  # two examples with one source
    assert memories is not None
    assert len(memories.states) == 3 + 2 + 3
    batch = memories.take(np.array([1, 2, 3])).batch(np.array([2, 1]), SOURCE)
    assert batch.mask.tolist() == [[True, False, True], [True, True, False]]
    assert batch.states[..., 1].tolist() == [[1.5, 0.0, 1.5], [1.5, 1.5, 0.0]]
    assert batch.states.dtype == torch.float32
    torch.testing.assert_close(batch.summary, first.summary)
    assert batch.source is (SOURCE if copied else None)
    none = memories.batch(np.arange(0), SOURCE[:0])
    assert (none.states.shape, none.mask.shape) == ((0, 1, 2), (0, 1))


def test_a_damaged_file_is_made_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "a.memories"
    write_memories(path, 2, [(np.array([0]), memory([1], copied=False))])
    path.write_bytes(path.read_bytes()[:-3])
    assert read_memories(path, np.array([0])) is None
    assert "making it again" in caplog.text


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(
        InputError, match=r"cannot be written .*TANDEM_CACHE to a folder with enough"
    ):
        write_memories(tmp_path / "file" / "a.memories", 2, [])
