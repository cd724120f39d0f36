"""What one step of training does: its gradient, and what it waits for."""

import copy
from collections.abc import Callable
from typing import Any

import lightning as L
import pytest
import torch
from lightning.pytorch.plugins.precision import MixedPrecision
from omegaconf import OmegaConf
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from tandem.config import checks
from tandem.config.catalogue import complete_options
from tandem.config.folders import config_folder
from tandem.core.types import Batch

Run = Callable[..., Any]


def prepared(compose_tiny: Run, *overrides: str) -> tuple[Any, list[Batch]]:
    """A module with its data, and the batches of the first epoch."""
    plan = checks.check(compose_tiny("dropout=0", *overrides))
    module = plan.module(plan.data.prepare(), 10)
    return module, list(plan.data.train_dataloader())


def trainer(**settings: Any) -> L.Trainer:
    return L.Trainer(
        accelerator="cpu",
        max_epochs=1,
        logger=False,
        enable_model_summary=False,
        enable_progress_bar=False,
        enable_checkpointing=False,
        **settings,
    )


@pytest.mark.filterwarnings("ignore:.*does not have many workers")
@pytest.mark.filterwarnings("ignore:.*no `val_dataloader`")
@pytest.mark.parametrize("accumulated", [1, 2, 3, 7])
def test_a_step_learns_from_the_mean_over_all_symbols_of_its_batches(
    compose_tiny: Run, accumulated: int
) -> None:
    """Of five batches the last ones are fewer than what is accumulated elsewhere."""
    sgd = ("optimizer=sgd", "optimizer.momentum=0", "optimizer.nesterov=false")
    module, batches = prepared(compose_tiny, "batching.max_sentences=7", *sgd)
    assert len({batch.num_symbols for batch in batches}) > 2
    model, objective = copy.deepcopy(module.model), module.objective
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for start in range(0, len(batches), accumulated):
        window = batches[start : start + accumulated]
        sums = [objective(model, batch)["loss"] * batch.num_symbols for batch in window]
        optimizer.zero_grad()
        (sum(sums) / sum(batch.num_symbols for batch in window)).backward()
        norm = torch.nn.utils.get_total_norm([one.grad for one in model.parameters()])
        optimizer.step()
    loader = torch.utils.data.DataLoader(batches, batch_size=None)  # type: ignore[arg-type]
    run = trainer(accumulate_grad_batches=accumulated, log_every_n_steps=1, gradient_clip_val=1e9)
    run.fit(module, loader)
    assert float(run.callback_metrics["train/grad_norm"]) == pytest.approx(float(norm), rel=1e-4)
    assert float(run.callback_metrics["train/lr"]) == pytest.approx(0.1)
    for (name, actual), expected in zip(
        module.model.named_parameters(), model.parameters(), strict=True
    ):
        torch.testing.assert_close(actual, expected, rtol=0, atol=1e-6, msg=name)


@pytest.mark.filterwarnings("ignore:.*does not have many workers")
@pytest.mark.filterwarnings("ignore:.*no `val_dataloader`")
def test_fp16_gradients_are_clipped_under_a_fused_optimizer(compose_tiny: Run) -> None:
    """Lightning's precision=16-mixed, whose scaler a CPU has as well."""
    module, batches = prepared(compose_tiny, "optimizer=adam")
    assert module.make_optimizer.optimizer.keywords["fused"]
    before = copy.deepcopy(module.model.state_dict())
    precision = MixedPrecision("16-mixed", "cpu", torch.amp.GradScaler("cpu", init_scale=8.0))
    loader = torch.utils.data.DataLoader(batches, batch_size=None)  # type: ignore[arg-type]
    trainer(plugins=[precision], gradient_clip_val=0.1).fit(module, loader)
    after = module.model.state_dict()
    assert all(torch.isfinite(value).all() for value in after.values())
    assert any(not torch.equal(before[name], value) for name, value in after.items())


WAITS_BY_NAME = ("item", "tolist", "cpu", "numpy", "nonzero", "__bool__", "__int__", "__float__")
"""Methods of a tensor whose result the host waits for."""
WAITS = (
    torch.ops.aten._local_scalar_dense,
    torch.ops.aten.nonzero,
    torch.ops.aten.masked_select,
    torch.ops.aten.equal,
    torch.ops.aten.is_nonzero,
    torch.ops.aten._unique2,
    torch.ops.aten.repeat_interleave.Tensor.overloadpacket,
    torch.ops.aten._pack_padded_sequence,
)
INDEXING = (torch.ops.aten.index, torch.ops.aten.index_put, torch.ops.aten.index_put_)


def asks_where(arguments: tuple[Any, ...]) -> bool:
    """Whether an index is a mask, whose true places the host must count."""
    places = arguments[1] if len(arguments) > 1 else ()
    return any(
        isinstance(place, torch.Tensor) and place.dtype in (torch.bool, torch.uint8)
        for place in places
    )


class Operations(TorchDispatchMode):
    """Notes operations, forward and backward, for which a device would let the host wait."""

    def __init__(self, note: Callable[[str], None]) -> None:
        super().__init__()
        self.note = note

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        packet = func.overloadpacket
        if packet in WAITS and func is not torch.ops.aten.repeat_interleave.self_int:
            self.note(str(func))
        if packet in INDEXING and asks_where(args):
            self.note(f"{func} by a mask")
        return func(*args, **(kwargs or {}))


class Methods(TorchFunctionMode):
    """Notes what Python asks tensors for, which on a CPU is no operation."""

    def __init__(self, note: Callable[[str], None]) -> None:
        super().__init__()
        self.note = note

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if getattr(func, "__name__", "") in WAITS_BY_NAME:
            self.note(f"Tensor.{func.__name__}")
        return func(*args, **(kwargs or {}))


def behind_each_step(trainer: L.Trainer, leave: Callable[[], None]) -> None:
    """Lightning collects what was logged behind the hooks of all callbacks and the module."""
    connector = trainer._logger_connector
    collect = connector.on_batch_end

    def collect_and_leave() -> None:
        collect()
        leave()

    connector.on_batch_end = collect_and_leave  # type: ignore[method-assign]


class Waits(L.Callback):
    """The steps in which somebody waited, from the batch's start until its values are logged."""

    steps: dict[int, list[str]] = {}  # noqa: RUF012

    def __init__(self) -> None:
        self.steps.clear()
        self.modes: list[Any] = []

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        """Watch to the end of each step."""
        behind_each_step(trainer, self.leave)

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        waited = self.steps.setdefault(batch_idx + 1, [])
        self.modes = [Operations(waited.append), Methods(waited.append)]
        for mode in self.modes:
            mode.__enter__()

    def on_before_zero_grad(self, *args: Any) -> None:
        """Called in the midst of a step, so that the modes must still be there."""
        assert self.modes

    def leave(self) -> None:
        for mode in reversed(self.modes):
            mode.__exit__(None, None, None)
        self.modes = []


def test_the_modes_see_who_waits() -> None:
    seen: list[str] = []
    numbers = torch.arange(3.0)
    with Operations(seen.append), Methods(seen.append):
        numbers[numbers > 1]
        numbers.sum().item()
        numbers.tolist()
        assert numbers.any()
        numbers.repeat_interleave(2)
        numbers * 2
    text = " ".join(seen)
    for name in ("index.Tensor by a mask", "Tensor.item", "Tensor.tolist", "__bool__"):
        assert name in text
    assert "repeat_interleave" not in text


FOURTH = ["trainer.log_every_n_steps=4"]
EVERY = {1, 2, 3, 4, 5}


def part(group: str, name: str) -> list[str]:
    """The overrides of a part as small as the rest."""
    has_heads = "num_heads" in OmegaConf.load(config_folder() / group / f"{name}.yaml")
    return [f"{group}={name}", *[f"{group}.num_heads=2"] * has_heads]


PARTS = [
    *(
        part(group, name)
        for group in ("encoder", "decoder", "attention")
        for name in complete_options(group)
    ),
    *(
        [f"optimizer={optimizer}", f"scheduler={scheduler}", "trainer.max_steps=2000"]
        for optimizer, scheduler in zip(
            complete_options("optimizer"), complete_options("scheduler"), strict=True
        )
    ),
    *([f"noise=[{name}]", *part("encoder", "transformer")] for name in complete_options("noise")),
    ["noise=[scheduled_sampling]", "noise.scheduled_sampling.steps=2"],
]
CALLBACKS = [name for name in complete_options("callbacks") if name not in ("default", "none")]
WAITING = {
    "optimizer=adafactor": "PyTorch's own reads the norms of weights",
    "noise=[layer_drop]": "which layers are left out is drawn on the host, without a device",
}
"""What waits in every step, and why."""


@pytest.mark.parametrize(
    ("overrides", "logged"),
    [
        *(([*FOURTH, *part], EVERY if WAITING.keys() & {*part} else {4}) for part in PARTS),
        ([*FOURTH, "decoder.input_feeding=true"], {4}),
        ([*FOURTH, "objective.r_drop_weight=1"], {4}),
        ([*FOURTH, "objective.coverage_weight=1"], {4}),
        ([*FOURTH, "objective.ctc_weight=0.5"], {4}),
        ([*FOURTH, f"callbacks=[{','.join(CALLBACKS)}]"], {4}),
        (["trainer.log_every_n_steps=2", "trainer.accumulate_grad_batches=2"], {3, 4}),
    ],
    ids=str,
)
def test_only_a_logged_step_waits(
    train_tiny: Run, importable: Run, tmp_path: Any, overrides: list[str], logged: set[int]
) -> None:
    """An epoch has five batches, and its callbacks are the default ones, or all."""
    name = importable(Waits)
    train_tiny(tmp_path / "run", *overrides, f"+callbacks.waits._target_={name}", "test=false")
    waited = {step for step, names in Waits.steps.items() if names}
    assert Waits.steps.keys() == EVERY
    assert waited == logged, Waits.steps


class Refusal(L.Callback):
    """CUDA's own word on who waits: an error in each step that is not logged."""

    steps = 0

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        behind_each_step(trainer, lambda: torch.cuda.set_sync_debug_mode("default"))

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        Refusal.steps += 1
        if batch_idx + 1 != 4:
            torch.cuda.set_sync_debug_mode("error")


@pytest.mark.gpu
@pytest.mark.filterwarnings("ignore:Synchronization debug mode is a prototype")
def test_cuda_sees_no_step_wait_but_a_logged_one(
    train_tiny: Run, importable: Run, tmp_path: Any
) -> None:
    if not torch.cuda.is_available():
        pytest.skip("there is no CUDA device")
    refusal = f"+callbacks.refusal._target_={importable(Refusal)}"
    callbacks = f"callbacks=[{','.join(CALLBACKS)}]"
    try:
        train_tiny(tmp_path / "run", "trainer=gpu", *FOURTH, callbacks, refusal, "test=false")
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert Refusal.steps == 5
