"""Self-critical training: the expected risk of sampled outputs (minimum risk training)."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from tandem.core.errors import InputError
from tandem.core.masks import lengths_to_mask
from tandem.core.memory import Memory
from tandem.core.modes import evaluation_mode
from tandem.core.types import SPECIAL_IDS, Batch
from tandem.data.tokenizers.tokenizer import Tokenizer
from tandem.inference.decoding import Decoding, encode, generate
from tandem.inference.risk import Risk
from tandem.inference.teacher_forcing import log_probs, rows_of_chunk, teacher_force
from tandem.metrics import Metric
from tandem.models.seq2seq import Seq2Seq
from tandem.search import GreedySearch, Sampling

BASELINES = ("others", "greedy")


class SelfCritical:
    """``k R + (1 - k) L``: Paulus et al. (2018), section 3.3, with the objective's loss L.

    ``R = sum_x E_{y ~ p(y | x)} risk(y)``, as all losses divided by the batch's target symbols.
    With n outputs of each source, drawn from the model, its gradient is ``1 / n sum_i
    (risk(y_i) - b_i) grad log p(y_i | x)``, which has the right mean, as b_i does not depend on
    y_i: the risk of the greedy output (Rennie et al. 2017) or the other samples' mean risk (Kool et
    al. 2019). Shen et al. (2016) scale the probabilities of a set of outputs to sum to 1 instead.

    Outputs are drawn, and their probabilities taken, by the decoder as evaluation uses it: without
    dropout and without skipped layers. Right is a target as its tokenizer writes it, so that what
    no output can be is no risk. Where noise changes a batch's sources, R and L read those.

    :param metric: one, by its name; see :class:`Risk`.
    :param num_samples: n, outputs of each source; equal ones go through the model once.
    :param baseline: ``others`` or ``greedy``.
    :param weight: k, above 0 and at most 1; at 1 the objective is not computed.
    """

    def __init__(
        self, *, metric: Mapping[str, Metric], num_samples: int, baseline: str, weight: float
    ) -> None:
        if len(metric) != 1:
            raise InputError(
                f"metric@risk.metric takes one metric, but got {', '.join(metric) or 'none'}; "
                "choose one."
            )
        if baseline not in BASELINES:
            raise InputError(
                f"`risk.baseline` must be one of {', '.join(BASELINES)}, but is {baseline!r}."
            )
        least = 2 if baseline == "others" else 1
        if type(num_samples) is not int or num_samples < least:
            raise InputError(
                f"`risk.num_samples` must be a whole number of at least {least} with "
                f"risk.baseline={baseline}, but is {num_samples!r}."
            )
        if not 0 < weight <= 1:
            raise InputError(
                f"`risk.weight` must be above 0 and at most 1, but is {weight}; to train without "
                "the risk set risk=null."
            )
        self.risk = Risk(*metric.values(), key="metric@risk.metric")
        self.num_samples = num_samples
        self.baseline = baseline
        self.weight = weight

    def __call__(
        self,
        objective: Callable[[Seq2Seq, Batch], dict[str, Tensor]],
        model: Seq2Seq,
        batch: Batch,
        *,
        target: Tokenizer,
        max_length: int,
    ) -> dict[str, Tensor]:
        """``loss``, and its parts by name if there are several.

        :param objective: gives L and its parts.
        :param target: makes texts of outputs and right targets.
        :param max_length: most symbols of an output.
        """
        risk = self.expected(model, batch, target=target, max_length=max_length)
        if self.weight == 1:
            return {"loss": risk}
        losses = objective(model, batch)
        supervised = losses.pop("loss")
        loss = self.weight * risk + (1 - self.weight) * supervised
        return {"loss": loss, "supervised_loss": supervised, **losses, "risk_loss": risk}

    def expected(
        self, model: Seq2Seq, batch: Batch, *, target: Tokenizer, max_length: int
    ) -> Tensor:
        """R: the samples' mean risk, with the gradient above."""
        right = [[target.decode(ids)] for ids in batch.target_out.tolist()]

        def judge(outputs: list[list[int]], sources: Tensor) -> Tensor:
            """Outputs and the rows of their sources (N,) -> risks (N,)."""
            texts = [target.decode(ids) for ids in outputs]
            risks = self.risk(texts, [right[row] for row in sources.tolist()])
            return torch.tensor(risks, device=sources.device)

        with _as_in_evaluation(model):
            memory = encode(model, batch)
            drawn = self._drawn(model, memory, max_length)
            log_likelihoods = _log_likelihoods(model, memory, drawn)  # (N,)
            if self.baseline == "greedy":
                compared = _greedy(model, memory, max_length, judge)[drawn.sources]  # (N,)
        risks = judge(drawn.outputs, drawn.sources)  # (N,)
        if self.baseline == "others":
            sums = risks.new_zeros(len(right)).index_add(0, drawn.sources, drawn.counts * risks)
            compared = (sums[drawn.sources] - risks) / (self.num_samples - 1)
        shares = drawn.counts / self.num_samples
        slope = (shares * (risks - compared) * log_likelihoods).sum()
        risk = (shares * risks).sum() + (slope - slope.detach())
        return risk / batch.num_symbols

    @torch.no_grad()
    def _drawn(self, model: Seq2Seq, memory: Memory, max_length: int) -> "_Drawn":
        """Outputs of all sources, from a seed that the step's random numbers give."""
        search = Sampling(
            num_samples=self.num_samples,
            seed=int(torch.randint(2**62, ())),
            temperature=1.0,
            top_k=0,
            top_p=1.0,
            min_p=0.0,
        )
        found = [
            (source, Counter(tuple(hypothesis.tokens) for hypothesis in hypotheses))
            for source, hypotheses in enumerate(
                generate(model, Decoding(search), memory, max_length)
            )
        ]
        device = memory.mask.device
        return _Drawn(
            outputs=[list(output) for _, counts in found for output in counts],
            sources=torch.tensor([source for source, counts in found for _ in counts]).to(device),
            counts=torch.tensor([n for _, counts in found for n in counts.values()]).to(device),
        )


@dataclass(frozen=True)
class _Drawn:
    """The N different outputs that were drawn of a batch's sources."""

    outputs: list[list[int]]
    """Ids; ``eos`` is the last one of those that were finished."""
    sources: Tensor
    """(N,) the row of the batch that each belongs to."""
    counts: Tensor
    """(N,) how often each was drawn."""


@torch.no_grad()
def _greedy(
    model: Seq2Seq,
    memory: Memory,
    max_length: int,
    judge: Callable[[list[list[int]], Tensor], Tensor],
) -> Tensor:
    """The risk of each source's greedy output, (B,)."""
    found = generate(model, Decoding(GreedySearch()), memory, max_length)
    rows = torch.arange(len(found), device=memory.mask.device)
    return judge([best.tokens for best, *_ in found], rows)


def _log_likelihoods(model: Seq2Seq, memory: Memory, drawn: _Drawn) -> Tensor:
    """``log p(y | x)`` of each output, (N,).

    The gradient computes the logits again, so that those of a chunk of positions exist at
    a time.
    """
    device, rows = memory.mask.device, drawn.sources
    lengths = torch.tensor([len(output) for output in drawn.outputs], device=device)
    ids = [torch.tensor([SPECIAL_IDS.bos, *output]) for output in drawn.outputs]
    padded = nn.utils.rnn.pad_sequence(ids, batch_first=True).to(device)  # (N, 1 + T)
    mask = lengths_to_mask(lengths, padded.size(1) - 1)  # (N, T)
    states, read = memory.states[rows], memory.mask[rows]  # (N, S, M), (N, S)
    source = None if memory.source is None else memory.source[rows]
    outputs = Batch.of(
        source=states,
        source_mask=read,
        target_in=padded[:, :-1],
        target_out=padded[:, 1:],
        target_mask=mask,
        indices=rows,
    )
    forced = teacher_force(model, Memory(states, read, memory.summary[rows], source), outputs)

    def at(positions: Tensor) -> Tensor:
        found = log_probs(model, forced, positions)  # (R', V)
        return found.gather(1, forced.target[positions].unsqueeze(1)).squeeze(1)

    size = rows_of_chunk(forced.features, model.vocabulary_size)
    chunks = torch.arange(len(forced.target), device=device).split(size)
    each = torch.cat([checkpoint(at, chunk, use_reentrant=False) for chunk in chunks])  # (R,)
    owners = mask.nonzero()[:, 0]  # (R,)
    return each.new_zeros(len(rows)).index_add(0, owners, each)


@contextmanager
def _as_in_evaluation(model: Seq2Seq) -> Iterator[None]:
    """Without dropout and the like, but with a gradient."""
    trained = [module for module in model.modules() if module.training]
    with evaluation_mode(model):
        for module in trained:
            if isinstance(module, nn.RNNBase):  # cuDNN's has a gradient in training only
                module.training = True
        yield
