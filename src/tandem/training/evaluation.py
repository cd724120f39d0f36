"""What training, evaluation and generation do alike with a model and a batch."""

import math

import torch
from torch import Tensor

from tandem.core.errors import InputError
from tandem.core.types import SPECIAL_IDS, Batch, Hypothesis
from tandem.models.seq2seq import Seq2Seq
from tandem.search.base import Search
from tandem.training.losses import token_losses


def target_features(model: Seq2Seq, batch: Batch) -> tuple[Tensor, Tensor]:
    """Features (R, D) and ids (R,) of the real target positions of a batch."""
    state = model.start(model.encode(batch.source, batch.source_mask))
    features = model.decode(batch.target_in, state).features  # (B, T, D)
    real = batch.target_mask.flatten().nonzero().squeeze(1)  # (R,)
    return features.flatten(0, 1)[real], batch.target_out.flatten()[real]


def generate(
    model: Seq2Seq, search: Search, batch: Batch, max_length: int
) -> list[list[Hypothesis]]:
    """Search for outputs of a batch's sources, the best first."""
    state = model.start(model.encode(batch.source, batch.source_mask))
    first = batch.source.new_full((len(batch.source),), SPECIAL_IDS.bos)
    return search(model.step, state, first=first, max_length=max_length)


class ForcedTotals:
    """Sums over a split of what the model says when the right target is forced on it."""

    def __init__(self) -> None:
        self.sums = torch.zeros(3, dtype=torch.float64)
        """Loss in nats, symbols guessed right, symbols."""

    def add(self, model: Seq2Seq, batch: Batch) -> None:
        """Count a batch."""
        features, target = target_features(model, batch)
        losses, hits = token_losses(features, model.output.weight, target)
        batch_sums = [losses.double().sum().item(), hits.sum().item(), len(target)]
        self.sums += torch.tensor(batch_sums, dtype=torch.float64)

    def means(self, prefix: str) -> dict[str, float]:
        """Loss a symbol, perplexity and token accuracy (in percent); raises if not finite."""
        loss, hits, tokens = self.sums.tolist()
        mean = loss / max(1, tokens)
        if not math.isfinite(mean):
            raise InputError(
                f"The loss {prefix}/loss is {mean}, so the run stops and the last good checkpoint "
                "stays; lower optimizer.lr or set trainer.gradient_clip_val=1."
            )
        return {
            f"{prefix}/loss": mean,
            f"{prefix}/perplexity": math.exp(min(mean, 700.0)),
            f"{prefix}/token_accuracy": 100 * hits / max(1, tokens),
        }
