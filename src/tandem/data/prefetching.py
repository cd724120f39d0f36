"""What is needed next is made in a thread while what came before it is used."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

from tandem.core.types import Batch

Item = TypeVar("Item")


def one_ahead(items: Iterator[Item]) -> Iterator[Item]:
    """The same items, each made in a thread while the one before it is used.

    What goes wrong in the thread is raised where its item would be used. The thread ends with the
    last item, or with the one that it is making when the iterator is dropped. That is not waited
    for: the garbage collector may drop it while ``threading`` holds a lock that waiting needs.
    """
    pool, is_dropped = ThreadPoolExecutor(max_workers=1, thread_name_prefix="one_ahead"), False
    try:
        coming = pool.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = pool.submit(next, items, None)
            yield item
    except GeneratorExit:
        is_dropped = True
        raise
    finally:
        pool.shutdown(wait=not is_dropped)


def batches_ahead(batches: Iterator[Batch], device: torch.device) -> Iterator[Batch]:
    """The same batches, one ahead, in memory from which a GPU fetches while the host goes on."""
    return one_ahead(map(Batch.pinned, batches) if device.type == "cuda" else batches)
