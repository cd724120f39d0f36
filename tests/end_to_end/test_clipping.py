"""Gradients are clipped, and their norm logged, as they are without a loss scale."""

from collections.abc import Callable
from pathlib import Path

import lightning as L
import pytest
import torch
from lightning.pytorch.plugins import HalfPrecision, MixedPrecision, Precision
from omegaconf import DictConfig
from torch.optim import Optimizer

from tandem.config import checks
from tandem.config.catalogue import config_groups
from tests.end_to_end.conftest import TINY

Compose = Callable[..., DictConfig]
LIMIT = 0.01
SCALE = 2.0**10


def scaled() -> MixedPrecision:
    """What ``16-mixed`` is on a GPU; of itself Lightning takes bf16-mixed instead on a CPU."""
    scaler = torch.amp.GradScaler("cpu", init_scale=SCALE)  # type: ignore[attr-defined]
    return MixedPrecision("16-mixed", "cpu", scaler=scaler)


PRECISIONS: dict[str, Callable[[], Precision]] = {
    "32-true": Precision,
    "bf16-mixed": lambda: MixedPrecision("bf16-mixed", "cpu"),
    "16-mixed": scaled,
    "bf16-true": lambda: HalfPrecision("bf16-true"),
}


class StepGradients(L.Callback):
    """The norm of the gradients that the optimizer made its step from."""

    norm = 0.0

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        def look(optimizer: Optimizer, *_: object) -> None:
            gradients = [p.grad.float() for g in optimizer.param_groups for p in g["params"]]
            self.norm = torch.nn.utils.get_total_norm(gradients).item()

        trainer.optimizers[0].register_step_post_hook(look)


def norms(cfg: DictConfig, precision: Precision) -> tuple[float, float]:
    """After one step: the norm that was logged, and that of what the step saw."""
    plan = checks.check(cfg)
    seen = StepGradients()
    trainer = L.Trainer(
        accelerator="cpu",
        max_steps=1,
        limit_val_batches=0,
        log_every_n_steps=1,
        gradient_clip_val=LIMIT,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[seen],
        plugins=[precision],
    )
    trainer.fit(plan.module(plan.data.prepare(), 10), datamodule=plan.data)
    return trainer.callback_metrics["train/grad_norm"].item(), seen.norm


@pytest.fixture(scope="module")
def expected(compose_config: Compose, tmp_path_factory: pytest.TempPathFactory) -> float:
    """The norm in float32, which no optimizer has a say in."""
    folder = tmp_path_factory.mktemp("expected")
    cfg = compose_config("train", *TINY, "dropout=0.0", f"run.folder={folder}")
    return norms(cfg, Precision())[0]


@pytest.mark.filterwarnings("ignore:.*does not have many workers")
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("optimizer", config_groups()["optimizer"])
def test_the_step_sees_clipped_gradients(
    compose_tiny: Compose, expected: float, tmp_path: Path, optimizer: str, precision: str
) -> None:
    cfg = compose_tiny(f"optimizer={optimizer}", "dropout=0.0", f"run.folder={tmp_path / 'run'}")
    logged, seen = norms(cfg, PRECISIONS[precision]())
    assert expected > 10 * LIMIT
    assert logged == pytest.approx(expected, rel=0.05)
    assert seen == pytest.approx(LIMIT, rel=0.05)
