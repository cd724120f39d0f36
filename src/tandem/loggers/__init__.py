"""Where a run's values, pictures and example outputs go."""

from tandem.loggers.base import MEDIA, PACKAGES, Finishes, ReadMedia, ShowsMedia
from tandem.loggers.csv_logger import CSVLogger
from tandem.loggers.finish import finish
from tandem.loggers.mlflow import MLflow
from tandem.loggers.tensorboard import TensorBoard
from tandem.loggers.wandb_logger import Wandb, media_cell

__all__ = [
    "MEDIA",
    "PACKAGES",
    "CSVLogger",
    "Finishes",
    "MLflow",
    "ReadMedia",
    "ShowsMedia",
    "TensorBoard",
    "Wandb",
    "finish",
    "media_cell",
]
