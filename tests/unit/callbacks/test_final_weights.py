"""Which of the offered weights a run ends with."""

from types import SimpleNamespace
from typing import Any

import lightning as L
import pytest
import torch

from tandem.callbacks import Candidate, OffersWeights, settle_weights
from tandem.core.quality import Quality


class Offer(L.Callback):
    """A callback of somebody else's."""

    def __init__(self, name: str, weight: float, quality: Quality | None) -> None:
        self.offered = Candidate(name, lambda: {"weight": torch.tensor(weight)}, quality)

    def candidate(self) -> Candidate:
        return self.offered


class Nothing(L.Callback):
    def candidate(self) -> None:
        return None


class Module(L.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor(7.0))


class Trainer:
    """Whose validation scores a weight by itself, and counts."""

    def __init__(self, *callbacks: Any) -> None:
        self.callbacks = callbacks
        self.callback_metrics: dict[str, torch.Tensor] = {}
        self.validated: list[float] = []

    def validate(self, module: Module, **_: Any) -> None:
        self.validated.append(module.weight.item())
        self.callback_metrics = {"val/x": module.weight.detach()}


def settled(mode: str, *callbacks: Any) -> SimpleNamespace:
    trainer, module = Trainer(*callbacks), Module()
    some = settle_weights(trainer, module, None, monitor="val/x", mode=mode)  # type: ignore[arg-type]
    return SimpleNamespace(some=some, weight=module.weight.item(), validated=trainer.validated)


def test_without_offers_the_last_weights_stay() -> None:
    end = settled("max", L.Callback(), Nothing())
    assert (end.some, end.weight, end.validated) == (False, 7.0, [])


def test_one_offer_is_taken_and_validated() -> None:
    end = settled("max", Offer("best", 3.0, Quality(3.0, 0.0)))
    assert (end.some, end.weight, end.validated) == (True, 3.0, [3.0])


@pytest.mark.parametrize(("mode", "weight"), [("max", 5.0), ("min", 2.0)])
def test_the_best_of_several_is_kept(mode: str, weight: float) -> None:
    """One that nobody has scored is validated; the other again only if it is the better one."""
    best = Quality(2.0 if mode == "max" else -2.0, 0.0)
    end = settled(mode, Offer("best", 2.0, best), Offer("mean", 5.0, None))
    assert end.weight == weight
    assert end.validated == ([5.0] if weight == 5.0 else [5.0, 2.0])


def test_of_equal_ones_the_later_is_kept() -> None:
    end = settled("max", Offer("best", 2.0, Quality(2.0, 0.0)), Offer("mean", 2.0, None))
    assert end.validated == [2.0]


def test_of_equal_scores_the_smaller_loss_is_kept() -> None:
    end = settled("max", Offer("best", 2.0, Quality(2.0, 0.5)), Offer("mean", 2.0, None))
    assert end.validated == [2.0, 2.0]


def test_any_callback_with_a_candidate_offers_weights() -> None:
    assert isinstance(Nothing(), OffersWeights)
    assert not isinstance(L.Callback(), OffersWeights)
