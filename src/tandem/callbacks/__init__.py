"""What watches a run: scores, samples, pictures, progress and checkpoints."""

from tandem.callbacks.attention_maps import AttentionMaps
from tandem.callbacks.average_checkpoints import AverageCheckpoints, mean_of
from tandem.callbacks.best_checkpoint import BestCheckpoint
from tandem.callbacks.checkpoint_io import AtomicCheckpointIO, find_checkpoint, read_checkpoint
from tandem.callbacks.early_stopping import EarlyStopping
from tandem.callbacks.final_weights import Candidate, OffersWeights, settle_weights
from tandem.callbacks.last_checkpoint import LastCheckpoint
from tandem.callbacks.logged_metrics import LoggedMetrics, logged_metrics
from tandem.callbacks.matmul_precision import MatmulPrecision
from tandem.callbacks.moving_average import MovingAverage
from tandem.callbacks.onlooker import Onlooker, guard_onlooker
from tandem.callbacks.output_file import OutputFile
from tandem.callbacks.plateau_steps import PlateauSteps
from tandem.callbacks.progress import LogLines, ProgressBar, make_progress
from tandem.callbacks.samples import SampleTable
from tandem.callbacks.speed import Throughput
from tandem.callbacks.text_metrics import TextMetrics
from tandem.callbacks.thaw import Thaw
from tandem.callbacks.training_record import TrainingRecord
from tandem.callbacks.training_time import TrainingTime
from tandem.callbacks.whole_weights import WholeWeights

__all__ = [
    "AtomicCheckpointIO",
    "AttentionMaps",
    "AverageCheckpoints",
    "BestCheckpoint",
    "Candidate",
    "EarlyStopping",
    "LastCheckpoint",
    "LogLines",
    "LoggedMetrics",
    "MatmulPrecision",
    "MovingAverage",
    "OffersWeights",
    "Onlooker",
    "OutputFile",
    "PlateauSteps",
    "ProgressBar",
    "SampleTable",
    "TextMetrics",
    "Thaw",
    "Throughput",
    "TrainingRecord",
    "TrainingTime",
    "WholeWeights",
    "find_checkpoint",
    "guard_onlooker",
    "logged_metrics",
    "make_progress",
    "mean_of",
    "read_checkpoint",
    "settle_weights",
]
