"""Several processes train the model that one would, and score it alike."""

import os
import re
import shutil
import signal
import socket
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch
from omegaconf import DictConfig
from safetensors.torch import load_file

from tandem.callbacks import SampleTable, read_checkpoint
from tandem.commands.train import train, train_as_rank
from tandem.config import checks
from tandem.config.catalogue import config_groups
from tandem.config.instantiate import plain
from tandem.config.run_folder import run_folder
from tandem.core.errors import InputError
from tandem.core.stopping import Stopped
from tandem.encoders import RecurrentEncoder

Run = Callable[..., Any]
Compose = Callable[..., DictConfig]
ReadMetrics = Callable[[Path], list[dict[str, str]]]
EVERY_METRIC = f"metric=[{','.join(config_groups()['metric'])}]"
COMMON = ("dropout=0.0", "trainer.max_epochs=2", "callbacks.attention_maps.count=0")
DDP = ("trainer=ddp", "trainer.accelerator=cpu")
FSDP = ("trainer=fsdp", "trainer.accelerator=cpu")
TRANSFORMER = (
    "encoder=transformer",
    "decoder=transformer",
    "attention=multi_head",
    "attention.num_heads=2",
    "encoder.num_heads=2",
    "decoder.num_heads=2",
    "bridge=zeros",
    "tokenizer.shared=true",
    "model.tie_embeddings=all",
    "optimizer.groups={encoder.layers.0: {frozen: true}, decoder: {lr_factor: 0.5}}",
    "trainer.gradient_clip_val=0.1",
    "trainer.accumulate_grad_batches=2",
)
AVERAGES = ("callbacks=[default,ema,average]", "callbacks.ema.decay=0.5")


class SignalAt(L.Callback):
    """Sends a signal to its own process, once a rank and a step are reached."""

    def __init__(self, *, number: int, rank: int, step: int, once: str) -> None:
        self.number, self.rank, self.step, self.once = number, rank, step, Path(once)

    def on_train_batch_start(self, trainer: L.Trainer, *_: Any) -> None:
        here = (trainer.global_rank, trainer.global_step) == (self.rank, self.step)
        if here and not self.once.exists():
            self.once.touch()
            os.kill(os.getpid(), self.number)


class SpareEncoder(RecurrentEncoder):
    """Has parameters without a use."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.spare = torch.nn.Linear(2, 2)


def signalled(target: str, number: int, once: Path, *, rank: int, step: int) -> list[str]:
    values = {"_target_": target, "number": number, "rank": rank, "step": step, "once": once}
    return [f"+callbacks.signal.{key}={value}" for key, value in values.items()]


def free_port() -> str:
    with socket.socket() as one:
        one.bind(("localhost", 0))
        return str(one.getsockname()[1])


def in_processes(cfg: DictConfig, count: int) -> list[int]:
    """Train in forked processes, which need no imports; return their exit codes."""
    checks.check(cfg)
    with run_folder(cfg):
        return in_forks(cfg, count)


def in_forks(cfg: DictConfig, count: int) -> list[int]:
    port, children = free_port(), []
    for rank in range(count):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                os.environ |= {
                    "RANK": str(rank),
                    "LOCAL_RANK": str(rank),
                    "WORLD_SIZE": str(count),
                    "MASTER_ADDR": "localhost",
                    "MASTER_PORT": port,
                    "TORCHELASTIC_RUN_ID": "test",
                }
                silent = L.Callback()
                train_as_rank(
                    config=plain(cfg), command="", rank=rank, restarted=False, heartbeat=silent
                )
                code = 0
            except Stopped as stopped:
                code = int(str(stopped.code))
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(code)
        children.append(child)
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "bundle" / "model.safetensors")


def scores(rows: list[dict[str, str]]) -> list[tuple[str, str, float]]:
    """What was logged, without what the clock decides and what holds the sum of floats."""
    return [
        (row["step"], name, float(value))
        for row in rows
        for name, value in row.items()
        if value and "second" not in name
    ]


def test_ranks_stay_in_step_when_an_onlooker_of_one_fails(
    compose_tiny: Compose, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken(self: SampleTable, trainer: L.Trainer, *_: Any) -> None:
        if trainer.is_global_zero:
            raise ValueError("out of ink")

    monkeypatch.setattr(SampleTable, "use", broken)
    cfg = compose_tiny(*COMMON, *DDP, "trainer.devices=2", f"run.folder={tmp_path}/run")
    assert in_processes(cfg, 2) == [0, 0]
    assert (tmp_path / "run" / "test.jsonl").exists()
    assert (tmp_path / "run" / "train.log").read_text().count("SampleTable.use failed") == 1


def test_the_number_of_processes_changes_nothing(
    compose_tiny: Compose,
    train_tiny: Run,
    read_metrics: ReadMetrics,
    importable: Callable[[type], str],
    tmp_path: Path,
) -> None:
    """Batches of 8 rows do not divide by 3; of 4 rows to evaluate, in one batch, one has none."""
    options = (*COMMON, EVERY_METRIC, "decoder=cnn", "attention=none", "bridge=zeros")
    spare = f"encoder._target_={importable(SpareEncoder)}"
    thaw = "optimizer.groups={encoder: {frozen: 4}}"
    options = (*options, spare, thaw, "trainer.gradient_clip_val=0.1")
    changes_nothing(compose_tiny, train_tiny, read_metrics, tmp_path, options, DDP, 3)
    log = (tmp_path / "all" / "train.log").read_text()
    assert log.count("Step 4: unfroze 10 more tensors, of encoder\n") == 1
    assert (
        log.count(
            "Unused parameters, which are not trained: encoder.spare.weight, encoder.spare.bias\n"
        )
        == 1
    )


def test_sharing_out_the_weights_changes_nothing(
    compose_tiny: Compose, train_tiny: Run, read_metrics: ReadMetrics, tmp_path: Path
) -> None:
    """Nor does evaluation wait for other ranks, which search for other numbers of positions."""
    maps = "callbacks.attention_maps.count=1"
    options = (*COMMON, *TRANSFORMER, *AVERAGES, maps, "optimizer=sgd")  # Adam makes noise large
    fsdp = (*FSDP, "model.checkpointing=true")
    changes_nothing(compose_tiny, train_tiny, read_metrics, tmp_path, options, fsdp, 2)


def changes_nothing(
    compose_tiny: Compose,
    train_tiny: Run,
    read_metrics: ReadMetrics,
    tmp_path: Path,
    options: tuple[str, ...],
    trainer: tuple[str, ...],
    count: int,
) -> None:
    """Compare what one process and several log, write and end with."""
    train_tiny(tmp_path / "one", *options)
    cfg = compose_tiny(*options, *trainer, f"trainer.devices={count}", f"run.folder={tmp_path}/all")
    assert in_processes(cfg, count) == [0] * count
    one, several = scores(read_metrics(tmp_path / "one")), scores(read_metrics(tmp_path / "all"))
    assert [row[:2] for row in several] == [row[:2] for row in one]
    assert {name for _, name, _ in one} >= {"test/exact_match", "val/loss", "train/grad_norm"}
    for (_, name, found), (_, _, expected) in zip(several, one, strict=True):
        rounded = ("loss", "perplexity", "norm")
        tolerance = 1e-5 if any(word in name for word in rounded) else 0
        assert found == pytest.approx(expected, rel=tolerance, abs=0), name
    found, expected = weights(tmp_path / "all"), weights(tmp_path / "one")
    for name, tensor in expected.items():
        torch.testing.assert_close(found[name], tensor, rtol=0, atol=1e-6)
    lines = [(tmp_path / name / "samples.jsonl").read_text() for name in ("one", "all")]
    assert lines[0] == lines[1]


def test_processes_draw_their_own_samples_and_layers(
    compose_tiny: Compose, train_tiny: Run, read_metrics: ReadMetrics, tmp_path: Path
) -> None:
    """A layer that one process skips has a gradient from the other alone."""
    model = (*COMMON, "encoder=transformer", "encoder.num_heads=2", "encoder.num_layers=4")
    train_tiny(tmp_path / "start", *model, "test=false")
    options = (
        *model,
        "risk=self_critical",
        f"init_from={tmp_path / 'start'}",
        "noise=[layer_drop]",
        "noise.layer_drop.probability=0.5",
    )
    cfg = compose_tiny(*options, *DDP, "trainer.devices=2", f"run.folder={tmp_path}/all")
    assert in_processes(cfg, 2) == [0, 0]
    rows = [row for row in read_metrics(tmp_path / "all") if row["train/risk_loss"]]
    assert len(rows) == 10
    before, after = weights(tmp_path / "start"), weights(tmp_path / "all")
    assert all(torch.isfinite(tensor).all() for tensor in after.values())
    changed = [name for name in before if not torch.equal(before[name], after[name])]
    assert {name for name in before if name.startswith("encoder.layers")} <= set(changed)


def test_a_signal_to_one_process_stops_all_behind_a_checkpoint(
    compose_tiny: Compose, importable: Callable[[type], str], tmp_path: Path
) -> None:
    target = importable(SignalAt)
    options = ("trainer.max_epochs=2", "dropout=0.3", "callbacks.attention_maps.count=0", *DDP)
    folders = [f"run.folder={tmp_path / name}" for name in ("straight", "stopped")]
    assert in_processes(compose_tiny(*options, folders[0]), 2) == [0, 0]
    sent = signalled(target, signal.SIGTERM, tmp_path / "sent", rank=1, step=6)
    assert in_processes(compose_tiny(*options, *sent, folders[1]), 2) == [143, 143]
    last = tmp_path / "stopped" / "checkpoints" / "last.ckpt"
    assert read_checkpoint(last)["global_step"] == 7
    assert in_processes(compose_tiny(*options, folders[1], "resume=true"), 2) == [0, 0]
    one, two = weights(tmp_path / "straight"), weights(tmp_path / "stopped")
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_a_run_with_shared_weights_goes_on_as_if_it_had_not_stopped(
    compose_tiny: Compose, importable: Callable[[type], str], tmp_path: Path
) -> None:
    """In as many processes exactly; in one that has all weights, up to the order of sums."""
    options = (*COMMON, *TRANSFORMER, *AVERAGES, "optimizer=adamw", "optimizer.eps=1e-3")
    folders = [f"run.folder={tmp_path / name}" for name in ("straight", "stopped", "alone")]
    assert in_processes(compose_tiny(*options, *FSDP, folders[0]), 2) == [0, 0]
    sent = signalled(importable(SignalAt), signal.SIGTERM, tmp_path / "sent", rank=1, step=4)
    assert in_processes(compose_tiny(*options, *FSDP, *sent, folders[1]), 2) == [143, 143]
    shutil.copytree(tmp_path / "stopped", tmp_path / "alone")
    assert in_processes(compose_tiny(*options, *FSDP, folders[1], "resume=true"), 2) == [0, 0]
    train(compose_tiny(*options, folders[2], "resume=true"))
    straight, resumed, alone = (
        weights(tmp_path / name) for name in ("straight", "stopped", "alone")
    )
    for name, tensor in straight.items():
        assert torch.equal(resumed[name], tensor)
        torch.testing.assert_close(alone[name], tensor, rtol=0, atol=1e-6)


def test_a_process_that_dies_or_stands_still_is_started_again(
    compose_tiny: Compose, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Undisturbed, two processes give what one gives, up to the order of sums."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)  # a run's folder is usually a relative one
    source = Path(__file__).read_text(encoding="utf-8")
    (tmp_path / "own_callbacks.py").write_text(source)
    target = "own_callbacks.SignalAt"
    killed = signalled(target, signal.SIGKILL, tmp_path / "killed", rank=1, step=7)
    stopped = signalled(target, signal.SIGSTOP, tmp_path / "stopped", rank=1, step=4)
    stopped = [one.replace("callbacks.signal", "callbacks.stop") for one in stopped]
    saving = "callbacks.last.every_n_train_steps=2"
    expected = train(compose_tiny(*COMMON, saving, f"run.folder={tmp_path}/straight"))
    faults = (*killed, *stopped, "launch.stalled_after=8", "run.folder=outputs/killed")
    metrics = train(compose_tiny(*COMMON, saving, *DDP, *faults))
    assert (tmp_path / "killed").exists()
    assert metrics["val/loss"] == pytest.approx(expected["val/loss"], rel=1e-5)
    one, two = weights(tmp_path / "straight"), weights(tmp_path / "outputs" / "killed")
    for name, tensor in one.items():
        torch.testing.assert_close(two[name], tensor, rtol=0, atol=1e-6)
    log = (tmp_path / "outputs" / "killed" / "train.log").read_text()
    assert log.count("A process died; all processes restart from the last checkpoint") == 2
    assert re.search(r"Rank 1 \(process \d+\) has made no progress for", log)
    assert "Resuming from outputs/killed/checkpoints/last.ckpt" in log


def test_a_mistake_in_a_process_is_one_sentence(compose_tiny: Compose, tmp_path: Path) -> None:
    cfg = compose_tiny(*COMMON, *DDP, "optimizer.lr=1e38", f"run.folder={tmp_path / 'run'}")
    with pytest.raises(InputError, match=r"^The loss of step \d+ is nan, so training stops and"):
        train(cfg)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["trainer.devices=[0,1]"],
            "trainer.devices must be a whole number of at least 1, or auto for all there are, but "
            "is [0, 1]; choose single GPUs by the variable CUDA_VISIBLE_DEVICES.",
        ),
        (
            ["trainer=ddp", "trainer.num_nodes=2"],
            "trainer.num_nodes=2 needs a rendezvous address; set "
            "launch.rdzv_endpoint=HOST:PORT of one of them, and the same run.folder on each.",
        ),
    ],
)
def test_processes_that_cannot_be(
    compose_tiny: Compose, tmp_path: Path, overrides: list[str], message: str
) -> None:
    with pytest.raises(InputError) as caught:
        train(compose_tiny(*overrides, f"run.folder={tmp_path / 'run'}"))
    assert str(caught.value) == message
    assert not (tmp_path / "run").exists()
