"""Distributed training: the ranks of a run are started, watched and started again."""

import logging
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from lightning.fabric.plugins.environments.cluster_environment import ClusterEnvironment
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.fabric.plugins.environments.torchelastic import TorchElasticEnvironment
from lightning.pytorch.utilities import rank_zero_only
from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from tandem.core import streams
from tandem.core.errors import InputError
from tandem.core.lines import utf8
from tandem.core.parent import MISTAKE_FILE, end_with_parent
from tandem.core.stopping import Stopped, in_main_thread
from tandem.training.heartbeat import Heartbeat, Watch

logger = logging.getLogger(__name__)

Metrics = dict[str, float]
ENVIRONMENT = {
    # Else processes that are started again find the addresses of the dead ones.
    "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1",
    # Else DDP tells each model in which every parameter has a use to leave out its search.
    "TORCH_CPP_LOG_LEVEL": "ERROR",
}
"""What torch reads in the processes, unless the user has set it."""
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
"""What torch elastic handles, and does not give back."""


@dataclass(frozen=True, kw_only=True)
class ElasticLaunch:
    """Processes that train one model together; torch elastic starts them."""

    devices: int
    """Processes on each machine."""
    num_nodes: int
    """Machines, each of which runs the same command."""
    max_restarts: int
    """How often all processes are started again when one died or stood still."""
    stalled_after: float | None
    """Seconds without a batch, after which a rank counts as standing still; None for no limit."""
    rdzv_endpoint: str | None
    """Where machines meet: ``host:port`` of one of them; None on one machine."""
    run_id: str
    """By which machines know each other; without slashes."""

    def __post_init__(self) -> None:
        if self.num_nodes > 1 and self.rdzv_endpoint is None:
            raise InputError(
                f"trainer.num_nodes={self.num_nodes} needs a rendezvous address; set "
                "launch.rdzv_endpoint=HOST:PORT of one of them, and the same run.folder on each."
            )

    @property
    def world_size(self) -> int:
        """Processes on all machines, each of which is a rank."""
        return self.devices * self.num_nodes

    def run(self, work: Callable[..., Metrics], **arguments: Any) -> Metrics:
        """Call a function of a module in each process and return what it returned.

        :param work: gets the arguments, its ``rank``, ``restarted``: whether a process died and
            this is another start, and the ``heartbeat`` that its trainer needs.
        :param arguments: plain data.
        :raises InputError: as the process that met it did.
        :raises Stopped: if a signal ended the run.
        """
        for name, value in ENVIRONMENT.items():
            os.environ.setdefault(name, value)
        handlers: dict[int, Any] = {number: signal.getsignal(number) for number in SIGNALS}
        logger.info("Starting %d processes on this machine", self.devices)
        with TemporaryDirectory() as folder:
            mistake, beats = Path(folder) / "mistake", Path(folder) / "heartbeats"
            beats.mkdir()
            os.environ[MISTAKE_FILE] = str(mistake)
            watch = Watch(beats, self.stalled_after)
            config = LaunchConfig(
                min_nodes=self.num_nodes,
                max_nodes=self.num_nodes,
                nproc_per_node=self.devices,
                run_id=self.run_id,
                rdzv_backend="c10d",
                rdzv_endpoint=self.rdzv_endpoint or "localhost:0",
                max_restarts=self.max_restarts,
                logs_specs=DefaultLogsSpecs(log_dir=folder),
            )
            start = elastic_launch(config, _start)
            try:
                with watch.watching():
                    results = start(work, arguments, mistake, beats, os.getpid())
            except SignalException as error:
                raise Stopped(error.sigval) from error
            except ChildFailedError as error:
                if mistake.exists():
                    results = {0: InputError(mistake.read_text(encoding="utf-8"))}
                elif watch.told:
                    raise InputError(
                        f"{watch.told}, also after launch.max_restarts={self.max_restarts} new "
                        "starts; check that machine and resume the run, or set a longer "
                        "launch.stalled_after."
                    ) from error
                else:
                    raise
            finally:
                del os.environ[MISTAKE_FILE]
                if in_main_thread():
                    for number, handler in handlers.items():
                        signal.signal(number, handler)
        result, *_ = results.values()
        if isinstance(result, InputError):
            raise result
        return result


def _start(
    work: Callable[..., Metrics],
    arguments: dict[str, Any],
    mistake: Path,
    beats: Path,
    launcher: int,
) -> Metrics | InputError:
    """What each process runs.

    :param mistake: a file that keeps the message of an InputError, so that the processes, which
        torch elastic starts again, need not make the mistake again.
    :param beats: the folder of heartbeats.
    :param launcher: the process that started this one, which ends with it.
    """
    end_with_parent(launcher)
    streams.set_up()
    if mistake.exists():
        return InputError(mistake.read_text(encoding="utf-8"))
    rank = int(os.environ["RANK"])
    rank_zero_only.rank = rank  # type: ignore[attr-defined]
    if "OMP_NUM_THREADS" not in os.environ:
        share = torch.get_num_threads() // int(os.environ["LOCAL_WORLD_SIZE"])
        torch.set_num_threads(max(1, share))
    heartbeat = Heartbeat(beats, rank)
    try:
        restarted = os.environ["TORCHELASTIC_RESTART_COUNT"] != "0"
        metrics = work(**arguments, rank=rank, restarted=restarted, heartbeat=heartbeat)
    except InputError as error:
        mistake.write_bytes(utf8(str(error)))
        raise
    except Stopped:
        heartbeat.end()
        raise
    heartbeat.end()
    return metrics


def cluster_environment() -> ClusterEnvironment:
    """How Lightning finds its rank: from what started this process, never from SLURM's variables.

    Lightning's own requeueing under SLURM would save in the midst of a step.
    """
    started = TorchElasticEnvironment.detect()
    return TorchElasticEnvironment() if started else LightningEnvironment()
