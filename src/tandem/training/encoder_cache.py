"""The outputs of a frozen encoder on disk: each source is read once for all epochs and runs."""

import hashlib
import logging
import time
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from tandem import __version__
from tandem.core.errors import InputError
from tandem.core.lock import lock_file
from tandem.core.memory import Memory
from tandem.core.modes import evaluation_mode
from tandem.core.printing import progress
from tandem.data.batching import Budget, Encoded, plan_batches
from tandem.data.cache import cache_folder, content_key
from tandem.data.columns import Rows
from tandem.data.memories import Memories, read_memories, write_memories
from tandem.data.module import DataModule
from tandem.data.ragged import Ragged
from tandem.layers.dropout import Dropout
from tandem.layers.spec_augment import SpecAugment
from tandem.models import Seq2Seq
from tandem.training.noise import Noise

logger = logging.getLogger(__name__)

PARTS = ("frontend", "encoder")
SECONDS_BETWEEN_LOOKS = 0.2
FREEZE = "optimizer.groups={frontend: {frozen: true}, encoder: {frozen: true}}"


def check_cacheable(
    model: Seq2Seq, *, trained: Container[str], noise: Sequence[Noise], streams: bool
) -> None:
    """Refuse to keep outputs that are not the same in every epoch.

    :param trained: names of the parameters that train, at once or later.
    :param streams: whether the training split is a stream.
    :raises InputError: in one sentence.
    """
    reason = next(_changes(model, trained, noise, streams), None)
    if reason is not None:
        raise InputError(
            "model.cache_encoder=true keeps what the frontend and the encoder make of each source, "
            f"but {reason}, or set model.cache_encoder=false."
        )


def _changes(
    model: Seq2Seq, trained: Container[str], noise: Sequence[Noise], streams: bool
) -> Iterator[str]:
    """Why outputs are not the same in every epoch, and what to do about it."""
    if streams:
        yield "data.streaming=true reads sources that nobody counts; set data.streaming=false"
    for part in PARTS:
        for name, _ in getattr(model, part).named_parameters(prefix=part):
            if name in trained:
                yield f"{name} is trained; freeze both parts with {FREEZE}"
    for part in PARTS:
        for name, module in getattr(model, part).named_modules(prefix=part):
            if module.training and is_random(module):
                yield f"{name} gives other outputs in each epoch; set its probability to 0"
    for one in noise:
        if one.changes_sources:
            yield f"{type(one).__name__} in `noise` changes the sources; leave it out"


def is_random(module: nn.Module) -> bool:
    """Whether a module draws random numbers in training."""
    if isinstance(module, Dropout | nn.modules.dropout._DropoutNd):
        return module.p > 0
    return isinstance(module, SpecAugment)


def cache_encoder(
    model: Seq2Seq,
    data: DataModule,
    *,
    structure: str,
    device: torch.device,
    leave_out: Sequence[str] = (),
) -> None:
    """Let the batches of a data module hold what a model's encoder makes of their sources.

    :param model: on the CPU afterwards, as before.
    :param data: prepared.
    :param structure: changes with the options of the frontend and the encoder.
    :param device: where they compute.
    :param leave_out: splits whose sources are read anew.
    """
    parts = nn.ModuleList(getattr(model, part) for part in PARTS)
    encoder = content_key(
        __version__,
        structure,
        data.open().source.identity(),
        _digest(parts),
        str(model.copier is not None),
    )
    folder, sizes, used = cache_folder() / "encoder", [], 0
    for name, encoded in data.prepared().items():
        if name in leave_out:
            continue
        rows = hashlib.sha256(encoded.rows.tobytes()).hexdigest()
        path = folder / f"{content_key(encoder, data.source_digest(name), rows)}.memories"
        memories = _memories(path, model, encoded, data.budget, device, name)
        data.keep_memories(name, memories)
        sizes.append(f"{name} {len(memories.offsets) - 1:,}")
        used += path.stat().st_size
    logger.info(
        "Outputs of the frozen encoder for sources of %s: %.1f MB in %s",
        ", ".join(sizes),
        used / 1e6,
        folder,
    )


def _memories(
    path: Path, model: Seq2Seq, encoded: Encoded, budget: Budget, device: torch.device, name: str
) -> Memories:
    """Map the memories of a split, which one process makes where they are not there."""
    numbers = encoded.source.identities
    memories = read_memories(path, numbers)
    if memories is None:
        with _one_at_a_time(path):
            memories = read_memories(path, numbers)
            if memories is None:
                made = _encoded_once(model, encoded, budget, device, name)
                write_memories(path, model.encoder.output_size, made)
                memories = read_memories(path, numbers)
    assert memories is not None
    return memories


@torch.no_grad()
def _encoded_once(
    model: Seq2Seq, encoded: Encoded, budget: Budget, device: torch.device, name: str
) -> Iterator[tuple[Rows, Memory]]:
    """Numbers and memories of all different sources, in batches of similar lengths."""
    numbers, first = np.unique(encoded.source.identities, return_index=True)
    sources = encoded.source.take(first)
    targets = Ragged.from_lists([[] for _ in first])
    different = replace(encoded, source=sources, target=targets, rows=first, memories=None)
    batches = plan_batches(different, budget, rng=None)
    with evaluation_mode(model):
        model.to(device)
        for chosen in progress(batches, f"Encoding {name} sources"):
            source, mask = sources.batch(chosen)
            yield numbers[chosen], model.encode(source.to(device), mask.to(device))
        model.cpu()


def _digest(module: nn.Module) -> str:
    """Changes with any weight or buffer."""
    digest = hashlib.sha256()
    for name, tensor in module.state_dict().items():
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
    return digest.hexdigest()


@contextmanager
def _one_at_a_time(path: Path) -> Iterator[None]:
    """Wait until no other process is writing the same file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.with_suffix(".lock")
    with lock.open("a") as file:
        while True:
            try:
                lock_file(file.fileno(), lock)
                break
            except BlockingIOError:
                time.sleep(SECONDS_BETWEEN_LOOKS)
        yield
        lock.unlink(missing_ok=True)
