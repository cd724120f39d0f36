"""Where a run's values go: a CSV file and Weights & Biases."""

from tandem.loggers.csv_logger import CSVLogger
from tandem.loggers.wandb_logger import finish, make_wandb_logger, media_cell

__all__ = ["CSVLogger", "finish", "make_wandb_logger", "media_cell"]
