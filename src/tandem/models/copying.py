"""Copying from the source: the pointer-generator of See et al. (2017), section 2.2."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tandem.core.precision import wide_type
from tandem.core.types import FIRST_OUTPUT
from tandem.models.vocabulary_layer import forbid_no_outputs_

CERTAIN = 1e4
"""A logit whose probability is 1, and which float16 can show."""


@dataclass(frozen=True)
class Copied:
    """What can be copied at some target positions, of any leading shape."""

    gate: Tensor
    """(...) logit of ``p_gen``: to generate rather than copy."""
    weights: Tensor
    """(..., S) how probable each source position is to be copied; they sum to 1 unless all are 0,
    where nothing can be copied."""
    source: Tensor
    """(..., S) ids."""

    def at(self, rows: Tensor) -> "Copied":
        """Only some positions (R,), counted over all leading axes."""
        flat = self.gate.dim() - 1
        return Copied(
            *(part.flatten(0, flat)[rows] for part in (self.gate, self.weights, self.source))
        )

    def first(self) -> "Copied":
        """Only the first target position: (N, T, ...) becomes (N, ...)."""
        return Copied(self.gate[:, 0], self.weights[:, 0], self.source[:, 0])

    def split(self, size: int) -> "list[Copied]":
        """Parts of up to ``size`` positions, if there is one leading axis."""
        parts = (part.split(size) for part in (self.gate, self.weights, self.source))
        return [Copied(*part) for part in zip(*parts, strict=True)]

    def log_probs(self, logits: Tensor) -> Tensor:
        """Logits (..., V) of the vocabulary layer -> log-probabilities (..., V) of eq. 9."""
        generated = _widened(logits).log_softmax(-1)
        weights = self.weights.to(generated.dtype)
        copied = torch.zeros_like(generated).scatter_add(-1, self.source, weights)
        return forbid_no_outputs_(self._mixed(generated, copied, self.gate.unsqueeze(-1)))

    def log_prob_of(self, target: Tensor, generated: Tensor) -> Tensor:
        """Eq. 9 for one symbol at each position.

        :param target: (...) ids.
        :param generated: (...) their log-probabilities from the vocabulary layer.
        :return: (...)
        """
        weights = _widened(self.weights)
        copied = weights.masked_fill(self.source != target.unsqueeze(-1), 0.0).sum(-1)
        return self._mixed(generated, copied, self.gate)

    @staticmethod
    def _mixed(generated: Tensor, copied: Tensor, gate: Tensor) -> Tensor:
        """``log(p_gen exp(generated) + (1 - p_gen) copied)``, finite for what is not copied."""
        gate = gate.to(generated.dtype)
        log_copied = copied.clamp_min(torch.finfo(copied.dtype).tiny).log()
        return torch.logaddexp(F.logsigmoid(gate) + generated, F.logsigmoid(-gate) + log_copied)


class Copier(nn.Module):
    """Decides between generating and copying: ``p_gen = sigmoid(w . [f_t; x_t] + b)``, eq. 8.

    ``f_t`` are the decoder's features, into which every decoder has mixed its state and the
    context, and ``x_t`` is the input's embedding. Source and target share one vocabulary, in which
    subwords make rare words copyable piece by piece, so the paper's vocabulary, extended by each
    source's unknown words, is not needed.

    :param features_size: D of the decoder's features.
    :param input_size: E of the target embeddings.
    """

    def __init__(self, *, features_size: int, input_size: int) -> None:
        super().__init__()
        self.gate = nn.Linear(features_size + input_size, 1)

    def forward(self, features: Tensor, inputs: Tensor, weights: Tensor, source: Tensor) -> Copied:
        """Ask at T target positions.

        :param features: (N, T, D)
        :param inputs: (N, T, E)
        :param weights: (N, T, S); scaled here to sum to 1 over what an output can hold, which some
            attentions' don't.
        :param source: (B, S) ids, shared by the hypotheses of a source.
        """
        rows, (sources, length) = weights.size(0), source.shape
        symbols = source.unsqueeze(1).expand(-1, rows // sources, -1)  # (B, K, S)
        symbols = symbols.reshape(rows, 1, length)  # (N, 1, S)
        weights = weights.masked_fill(symbols < FIRST_OUTPUT, 0.0)
        total = weights.sum(-1, keepdim=True)
        gate = self.gate(torch.cat((features, inputs), dim=-1)).squeeze(-1)
        return Copied(
            gate=gate.masked_fill(total.squeeze(-1) == 0, CERTAIN),
            weights=weights / total.clamp_min(torch.finfo(weights.dtype).tiny),
            source=symbols.expand(weights.shape),
        )


def _widened(numbers: Tensor) -> Tensor:
    """At least float32, in which sums of probabilities keep their digits."""
    return numbers.to(wide_type(numbers.dtype))
