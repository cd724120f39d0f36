"""Optuna's storage in a file of SQLite, with patience for others that read it."""

import errno
import functools
import inspect
import logging
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage
from sqlalchemy import URL, NullPool
from sqlalchemy.exc import OperationalError

logger = logging.getLogger(__name__)

SECONDS_UNTIL_LOCKED = 5.0
"""For which SQLite itself waits."""
SECONDS_BETWEEN_TRIES = 1.0
SECONDS_BETWEEN_LINES = 60.0
"""While the database is locked, the log says so this often."""


def waiting_for_lock(call: Callable[..., Any]) -> Callable[..., Any]:
    """Try a call on the database again for as long as another program holds its lock.

    :raises OSError: ``ENOSPC`` if the disk has no room.
    """

    @functools.wraps(call)
    def patient(*arguments: Any, **options: Any) -> Any:
        said = -SECONDS_BETWEEN_LINES
        while True:
            try:
                return call(*arguments, **options)
            except (StorageInternalError, OperationalError) as error:
                reason = f"{error} {error.__cause__}"
                if "disk is full" in reason:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "study.db") from error
                if "is locked" not in reason:
                    raise
            if time.monotonic() - said >= SECONDS_BETWEEN_LINES:
                said = time.monotonic()
                logger.warning("The sweep waits for study.db, which another program has locked")
            time.sleep(SECONDS_BETWEEN_TRIES)

    return patient


class PatientStorage(RDBStorage):
    """Trials in a SQLite file; each call is one transaction, which waits for the file's lock."""


for _name, _call in vars(RDBStorage).items():
    if inspect.isfunction(_call) and not _name.startswith("__"):  # Optuna calls private ones, too
        setattr(PatientStorage, _name, waiting_for_lock(_call))


@waiting_for_lock
def open_storage(path: Path) -> PatientStorage:
    """Open the file, or make it."""
    url = URL.create("sqlite", database=str(path.resolve()))
    options = {
        "poolclass": NullPool,  # no connection stays open, as processes are forked between two uses
        "connect_args": {"timeout": SECONDS_UNTIL_LOCKED},
    }
    return PatientStorage(url.render_as_string(), engine_kwargs=options)
