"""The end of a run's loggers."""

from collections.abc import Iterable

from lightning.pytorch.loggers import Logger

from tandem.core.onlookers import report_failure
from tandem.loggers.base import Finishes


def finish(loggers: Iterable[Logger], exit_code: int) -> None:
    """Close what has to be closed; a failure ends nothing.

    :param loggers: the trainer's loggers, of any kind.
    :param exit_code: 0 for a run that went well.
    """
    for logger in loggers:
        if isinstance(logger, Finishes):
            try:
                logger.finish(exit_code)
            except Exception as error:
                report_failure(type(logger).__name__, error)
