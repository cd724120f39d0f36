"""What a run keeps of its data, so that it goes on with the same: tokenizers and fingerprints."""

import json
import logging
from pathlib import Path
from typing import Any

from tandem.core.errors import InputError, reason_of
from tandem.core.files import write_text
from tandem.data.cache import content_key
from tandem.data.fingerprints import Fingerprint, differences
from tandem.data.module import DataModule
from tandem.data.preprocessing import tokenizer_files

logger = logging.getLogger(__name__)

DATA = "data.json"
"""The file in a run's folder; see :func:`keep_data`."""
TOKENIZERS = "tokenizers"
"""The folder in a run's folder, with a file a side."""

MOST_NAMED = 4
"""Of changes so many are named in one message."""


def keep_data(folder: Path, data: DataModule) -> None:
    """Write down what a run reads: its tokenizers, and fingerprints of splits and shards.

    :param folder: of the run.
    :param data: prepared.
    """
    for name, tokenizer in tokenizer_files(data.open()).items():
        write_text(folder / TOKENIZERS / name, tokenizer.to_json())
    record = json.dumps(_record(data), indent=2)
    write_text(folder / DATA, record)


def check_data(folder: Path, data: DataModule) -> None:
    """Hold the data of a run that goes on against what it kept.

    A split that is new, such as a test split that was not there, is no difference.

    :raises InputError: if anything has changed, which it names.
    """
    recorded = _read(folder / DATA)
    if recorded is None:
        logger.warning("There is no %s, so a change of the data cannot be detected", DATA)
        return
    now = _record(data)
    changes = [
        *_changed(recorded["splits"], now["splits"], "the {} split", "examples"),
        *_changed(recorded["shards"], now["shards"], "the shard {}", "bytes"),
        *(
            f"there is a new shard {name}"
            for name in now["shards"]
            if name not in recorded["shards"]
        ),
    ]
    if not changes and recorded["tokenizers"] != now["tokenizers"]:
        changes = ["the tokenizers are other ones, perhaps those of another init_from"]
    if len(changes) > MOST_NAMED:
        changes[MOST_NAMED:] = [f"and {len(changes) - MOST_NAMED} more such changes"]
    if changes:
        raise InputError(
            f"The data has changed since this run began, so it cannot go on: {'; '.join(changes)}. "
            "Put back what was there, or train on the new data in another run.folder."
        )


def warn_of_change(folder: Path, data: DataModule, split: str) -> None:
    """Log if a split that is evaluated is not the one that a run began with, as far as is known.

    :param folder: of the run.
    :param data: has read the split.
    """
    try:
        recorded = _read(folder / DATA)
    except InputError as error:
        logger.warning("%s", error)
        return
    if recorded is not None and split in recorded["splits"]:
        before = {split: recorded["splits"][split]}
        for change in _changed(before, data.fingerprints(), "the {} split", "examples"):
            logger.warning("The data has changed since this run was trained: %s", change)


def _changed(
    recorded: dict[str, Fingerprint], now: dict[str, Fingerprint], what: str, count: str
) -> list[str]:
    """What has changed of some parts, by their names."""
    changes = []
    for name, before in recorded.items():
        difference = differences(before, now[name], count) if name in now else "is gone"
        if difference:
            changes.append(f"{what.format(name)} {difference}")
    return changes


def _record(data: DataModule) -> dict[str, dict[str, Any]]:
    shards = {} if data.stream is None else data.stream.fingerprints()
    return {
        # With overfit, each split is some pairs of training, which no evaluation reads.
        "splits": {} if data.overfit is not None else data.fingerprints(),
        "shards": shards,
        "tokenizers": {
            name: content_key(tokenizer.kind, tokenizer.symbols)
            for name, tokenizer in tokenizer_files(data.open()).items()
        },
    }


def _read(path: Path) -> dict[str, dict[str, Any]] | None:
    """What :func:`keep_data` wrote; None if it is not there.

    :raises InputError: if it is damaged.
    """
    try:
        record = json.loads(path.read_bytes())
        recorded = {name: dict(record[name]) for name in ("splits", "shards", "tokenizers")}
        for fingerprint in (*recorded["splits"].values(), *recorded["shards"].values()):
            if any(type(fact) not in (int, str) for fact in fingerprint.values()):
                raise ValueError("it holds other things than numbers and texts")
        return recorded
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"The file {path} says what data the run began with, but cannot be read "
            f"({reason_of(error)}); delete it to go on without this check."
        ) from error
