"""A part that breaks a promise is told which."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from tandem import testing
from tandem.attentions.base import Attended, Attention
from tandem.bridges import Bridge
from tandem.core.masks import masked_softmax
from tandem.core.memory import Memory
from tandem.core.state import State
from tandem.core.types import SPECIAL_IDS, Hypothesis
from tandem.data.features import Features
from tandem.decoders import Decoder
from tandem.decoders.base import Decoded
from tandem.encoders import Encoder
from tandem.frontends import Frontend
from tandem.metrics import Metric
from tandem.search import BeamSearch, Search
from tandem.search.rules import Rule
from tandem.search.scorers import Scorer


class LinearEncoder(Encoder):
    """Sound unless a test says what is wrong with it."""

    def __init__(self, *, input_size, fault):
        super().__init__()
        self.layer = nn.Linear(input_size, 8)
        self.unused = nn.Linear(1, 1) if fault == "unused" else None
        self.output_size = 9 if fault == "size" else 8
        self.fault = fault

    @property
    def layer_outputs(self):
        return [self if self.fault == "layers" else self.layer]

    def forward(self, inputs, mask):
        states = self.layer(inputs)
        if self.fault == "content":
            states = states + states.mean(1, keepdim=True)
        if self.fault == "float32":
            states = states.float()
        if self.fault == "small":
            states = nn.functional.normalize(states * mask.unsqueeze(-1), dim=-1, eps=1e-12)
        if self.fault == "float64":
            states = states + torch.ones(8, dtype=torch.float64)
        states = states * mask.unsqueeze(-1)
        count = mask.size(1) if self.fault == "amount" else mask.sum(1, keepdim=True)
        if self.fault == "blind":
            states = states * 0
        if self.fault == "mask":
            return Memory(states, mask.long(), states.sum(1) / count)
        return Memory(states, mask, states.sum(1) / count)


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("size", r"LinearEncoder.output_size \(9\) must be the size of its states, which is 8"),
        ("mask", "LinearEncoder must return a mask of bool"),
        ("layers", "LinearEncoder.layer_outputs must list modules that a pass calls once"),
        ("content", "Padding must be invisible, but other content at padded positions changed"),
        ("amount", "Padding must be invisible, but more padding changed the scores"),
        ("float32", "A part must keep the precision|must have the same dtype"),
        ("float64", "A part must run with all parameters in torch.bfloat16, but raised"),
        ("small", r"Gradients of parameters in torch.float16 must be finite"),
        ("blind", "What a source begins with must matter"),
        (
            "unused",
            "gradient must reach every parameter, but it does not reach encoder.unused.weig",
        ),
    ],
)
def test_encoder(fault, sentence) -> None:
    with pytest.raises((AssertionError, RuntimeError), match=sentence) as caught:
        testing.check_encoder(partial(LinearEncoder, fault=fault))
    if fault not in ("size", "mask", "layers"):
        assert caught.value.__notes__ == [
            "In a model of TextFrontend, LinearEncoder and RecurrentDecoder."
        ]


def test_the_sound_encoder() -> None:
    testing.check_encoder(partial(LinearEncoder, fault=None))


class ScaledAttention(Attention):
    def __init__(self, *, query_size, memory_size, fault):
        super().__init__()
        self.project = nn.Linear(query_size, memory_size)
        self.output_size = memory_size
        self.fault = fault

    def start(self, memory):
        if self.fault == "on self":
            self.memory = memory
        count = memory.states.new_zeros(len(memory.mask))
        if self.fault == "fixed":
            return State(fixed=(memory.states, memory.mask, count))
        return State(fixed=(memory.states, memory.mask), carry=count)

    def forward(self, query, state):
        states, mask, *rest = state.fixed
        times = len(query) // len(states)
        if self.fault == "on self":
            states = self.memory.states.repeat_interleave(len(states) // len(self.memory.mask), 0)
        if self.fault == "rows":
            keys, mask = states.repeat(times, 1, 1), mask.repeat(times, 1)
        else:
            keys, mask = states.repeat_interleave(times, 0), mask.repeat_interleave(times, 0)
        scores = self.project(query) @ keys.mT / 4
        if self.fault == "fixed":  # as many steps as its first hypothesis has made
            scores = scores * (1 + rest[0].repeat_interleave(times, 0)[:, None, None])
            state = State(fixed=(states, state.fixed[1], rest[0] + query[::times].sum((1, 2))))
        weights = masked_softmax(scores, mask.unsqueeze(1))
        shown = weights if self.fault != "weights" else weights * 2
        if self.fault == "padding":
            shown = weights + 0.1 * ~mask.unsqueeze(1) - 0.1 * weights
            shown = shown / shown.sum(-1, keepdim=True)
        return Attended(weights @ keys, lambda: shown, state)


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("on self", "A part must keep nothing on itself between calls"),
        ("weights", "weights must be at least 0 and sum to at most 1"),
        ("padding", "weights must be 0 at padded positions"),
        ("rows", "Repeated hypotheses must go on as the one they were"),
        ("fixed", "A target fed symbol by symbol must get the same scores as at once"),
    ],
)
def test_attention(fault, sentence) -> None:
    with pytest.raises(AssertionError, match=sentence):
        testing.check_attention(partial(ScaledAttention, fault=fault))


def test_the_sound_attention() -> None:
    testing.check_attention(partial(ScaledAttention, fault=None))


class SumDecoder(Decoder):
    """Sums its inputs, each weighed by its position, onto the summary."""

    def __init__(self, *, input_size, memory_size, fault):
        super().__init__()
        self.source, self.target = nn.Linear(memory_size, 8), nn.Linear(input_size, 8)
        self.output_size = 8
        self.fault = fault

    def start(self, memory):
        summary = self.source(memory.summary)
        if self.fault == "fixed":
            return State(fixed=(summary, summary * 0), carry=(summary, 0))
        return State(carry=(summary, 0))

    def forward(self, inputs, state):
        total, offset = state.carry
        first = 0 if self.fault == "offset" else offset
        places = torch.arange(first, first + inputs.size(1)).to(inputs.dtype) + 1
        added = self.target(inputs) / places[:, None]
        sums = total.unsqueeze(1) + added.cumsum(1)
        fixed = ()
        if self.fault == "fixed":  # what was written is kept by source, not by hypothesis
            summary, seen = state.fixed
            times = len(inputs) // len(seen)
            sums = summary.repeat_interleave(times, 0).unsqueeze(1) + added.cumsum(1)
            sums = sums + seen.repeat_interleave(times, 0).unsqueeze(1)
            fixed = (summary, seen + added.sum(1)[::times])
        if self.fault == "future":
            sums = sums + added.sum(1, keepdim=True)
        if self.fault == "deaf":
            sums = total.unsqueeze(1).expand_as(sums) + 0 * sums
        carry = sums[:, -1] if self.fault != "fixed" else total
        after = State(fixed, carry=(carry, offset + inputs.size(1)))
        return Decoded(sums.tanh(), None, after)


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("offset", "symbol by symbol must get the same scores as at once.*go on where the state"),
        ("future", "A decoder must not see symbols to come"),
        ("deaf", "A target symbol must change what follows it"),
        ("fixed", "A reordered hypothesis must take all of its past along"),
    ],
)
def test_decoder(fault, sentence) -> None:
    with pytest.raises(AssertionError, match=sentence):
        testing.check_decoder(partial(SumDecoder, fault=fault))


def test_the_sound_decoder() -> None:
    testing.check_decoder(partial(SumDecoder, fault=None))


class FlatBridge(Bridge):
    def __init__(self, *, memory_size, slots, hidden_size):
        super().__init__()
        self.layer = nn.Linear(memory_size, slots * hidden_size)

    def forward(self, summary):
        return self.layer(summary)


def test_bridge() -> None:
    with pytest.raises(AssertionError, match=r"FlatBridge must make \(B, slots, H\) = \(3, 4, 8\)"):
        testing.check_bridge(FlatBridge)


class Halves(Frontend):
    """Pairs of vectors as one."""

    media, table = "series", None

    def __init__(self, *, source_size, fault):
        super().__init__()
        self.layer = nn.Linear(2 * source_size, 8)
        self.output_size = 8
        self.fault = fault

    def forward(self, source, source_mask):
        source = source.to(self.layer.weight.dtype)
        if self.fault != "leak":
            source = source * source_mask.unsqueeze(-1)
        odd = source.size(1) % 2
        source = nn.functional.pad(source, (0, 0, 0, odd))
        mask = nn.functional.pad(source_mask, (0, odd)).unflatten(1, (-1, 2))
        mask = mask.all(2) if self.fault == "short" else mask.any(2)
        return self.layer(source.unflatten(1, (-1, 2)).flatten(2)), mask


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("leak", "Padding must be invisible, but other content"),
        ("short", "Halves must return a mask .* True at one or more of each source"),
    ],
)
def test_frontend(fault, sentence) -> None:
    with pytest.raises(AssertionError, match=sentence):
        testing.check_frontend(partial(Halves, fault=fault), source_size=2)
    testing.check_frontend(partial(Halves, fault=None), source_size=2)


class Upside(Frontend):
    """Rows of pixels, one position each."""

    media, table = "image", None

    def __init__(self, *, source_size):
        super().__init__()
        self.layer = nn.Linear(source_size, 8)
        self.output_size = 8

    def grid(self, rows):
        return rows, 2

    def forward(self, source, source_mask):
        return self.layer(source.to(self.layer.weight.dtype) / 255), source_mask


def test_a_picture_s_grid() -> None:
    with pytest.raises(
        AssertionError, match=r"Upside.grid must say .* 11 x 2 are not 11 positions"
    ):
        testing.check_frontend(Upside, source_size=4)


class Scripted(Search):
    """A beam search, or greedy search with one fault."""

    width = 2

    def __init__(self, fault):
        self.fault = fault
        self.calls = 0
        self.beam = BeamSearch(width=2, length_penalty="none", alpha=0.0, stop="pool")

    def __call__(self, step, state, *, first, max_length):
        if self.fault in ("order", "width", "none", "calls"):
            found = self.beam(step, state, first=first, max_length=max_length)
            self.calls += 1
            if self.fault == "none":
                return [[] for _ in found]
            if self.fault == "calls" and self.calls > 3:
                return [one[:1] for one in found]
            if self.fault == "width":
                return [one * 2 for one in found]
            return [one[::-1] if self.fault == "order" else one for one in found]
        tokens, total, outputs = first, 0.0, []
        done = torch.zeros_like(first, dtype=torch.bool)
        for position in range(max_length + (self.fault == "long")):
            scores, state = step.scores(tokens, state)
            if self.fault == "across":
                state = state.reorder(torch.arange(len(first)).flip(0))
            history = torch.stack(outputs, 1) if outputs else first[:, None][:, :0]
            allowed = scores if self.fault == "rules" else step.allowed(scores, history)
            best, tokens = allowed.max(1)
            said = best if self.fault == "logits" else best - step.log_normalizer(scores)[:, 0]
            if self.fault == "narrow":
                said = said.to(scores.dtype)
            total = total + said.masked_fill(done, 0.0)
            if self.fault == "narrow":
                total = total.to(scores.dtype)
            outputs.append(tokens)
            done = done | (tokens == SPECIAL_IDS.eos)
            assert position < 20
        rows = [
            row[: row.index(2) + 1] if 2 in row else row for row in torch.stack(outputs, 1).tolist()
        ]
        return [[Hypothesis(*pair)] for pair in zip(rows, total.tolist(), strict=True)]


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("across", "A search must move rows of a state only among the hypotheses of one source"),
        ("rules", "A search must keep the rules"),
        ("logits", "The score of a hypothesis must be the log-probability"),
        ("narrow", "add log-probabilities up in float32 or wider"),
        ("long", r"must have from 1 to max_length \(1\) symbols"),
        ("order", "must give the best hypothesis first"),
        ("width", r"must return from 1 to 2 hypotheses \(its width\) for each of 3 sources"),
        ("none", "must return from 1 to 2 hypotheses"),
        ("calls", "must find the same in the same batch"),
    ],
)
def test_search(fault, sentence) -> None:
    with pytest.raises(AssertionError, match=sentence):
        testing.check_search(Scripted(fault))
    testing.check_search(Scripted(None))


def test_a_narrow_beam_is_not_exhaustive() -> None:
    with pytest.raises(AssertionError, match="must find all 40 outputs, but it finds 2"):
        testing.check_search(Scripted(None).beam, exhaustive=True)


def test_a_penalty_that_is_not_told() -> None:
    with pytest.raises(AssertionError, match="divided by its length penalty"):
        testing.check_search(BeamSearch(width=2, length_penalty="average", alpha=1.0, stop="pool"))


class Counting(Scorer):
    """Likes a symbol better, the more often it was written."""

    def __init__(self, fault):
        self.fault = fault
        self.seen = 0

    def check(self, model):
        """It is fit for all."""

    def start(self, model, memory):
        counts = memory.states.new_zeros(len(memory.mask))
        sums = memory.states.sum((1, 2)) if self.fault == "padding" else counts
        return State(fixed=(counts, sums), carry=counts)

    def __call__(self, tokens, log_probs, weights, state):
        hit = (tokens == 5).to(state.carry.dtype)
        counts = state.carry + hit
        bonus = torch.zeros_like(log_probs)
        times = len(tokens) // len(state.fixed[0])
        used = counts + state.fixed[1].repeat_interleave(times)
        if self.fault == "self":
            self.seen += int(hit.sum())
            used = used + self.seen
        if self.fault == "fixed":
            used = state.fixed[0].repeat_interleave(times) + hit
        if self.fault == "all":
            used = used + used.sum()
        bonus[:, 5] = used
        if self.fault == "place":
            log_probs += bonus
            return log_probs, State(state.fixed, counts)
        if self.fault == "narrow":
            return (log_probs + bonus).bfloat16(), State(state.fixed, counts)
        fixed = state.fixed
        if self.fault == "fixed":
            fixed = (fixed[0] + hit[::times], fixed[1])
        return log_probs + bonus, State(fixed, counts)


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("self", "A part must keep nothing on itself between calls"),
        ("place", "A scorer must leave the log-probabilities that it is given"),
        ("narrow", "in float32 or wider, but returned .* in torch.bfloat16"),
        ("padding", "Padding must be invisible"),
        ("fixed", "Repeated hypotheses must go on|Hypotheses of one source must not see"),
        ("all", "Repeated hypotheses must go on|Hypotheses of one source must not see"),
    ],
)
def test_scorer(fault, sentence) -> None:
    with pytest.raises(AssertionError, match=sentence):
        testing.check_scorer(Counting(fault))
    testing.check_scorer(Counting(None))


class Broken(Rule):
    def __init__(self, change):
        self.change = change
        self.calls = 0

    def __call__(self, scores, history):
        self.calls += 1
        return self.change(self, scores, history)


def in_place(rule, scores, history):
    scores[:, 4] = -torch.inf
    return scores


def by_rows(rule, scores, history):
    changed = scores.clone()
    changed[0, 4] = -torch.inf
    return changed


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (in_place, "A rule must leave the scores that it is given"),
        (lambda rule, scores, history: scores + 1, "A rule must only forbid, by -inf"),
        (lambda rule, scores, history: scores.double(), "must return scores like those"),
        (
            lambda rule, scores, history: torch.full_like(scores, -torch.inf),
            "must leave a symbol that may come next",
        ),
        (by_rows, "A rule must look at each row by itself"),
    ],
)
def test_rule(change, sentence) -> None:
    with pytest.raises(AssertionError, match=sentence):
        testing.check_rule(Broken(change))


class Letters(Metric):
    """Share of the first reference's letters that an output has."""

    def __init__(self, fault=None):
        self.fault = fault
        if fault != "silent":
            self.directions = {"letters": "min" if fault == "direction" else "max"}
        if fault == "names":
            self.directions = {"letter": "max"}

    def counts(self, hypotheses, references):
        rows = [
            (len(set(hypothesis) & set(texts[0])), len(set(texts[0])))
            for hypothesis, texts in zip(hypotheses, references, strict=True)
        ]
        counted = np.array(rows, dtype=np.float64)
        if self.fault == "shares":
            counted = counted / counted.sum(0)
        if self.fault == "order":
            counted[:, 0] *= 1 + np.arange(len(counted))
        return counted if self.fault != "sum" else counted.sum(0)

    def scores(self, sums):
        hits, letters = sums.tolist()
        return {"letters": np.nan if self.fault == "nan" else 100 * hits / letters}

    @property
    def signature(self):
        return "" if self.fault == "signature" else "letters"


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("silent", "The metric Letters must state whether less or more"),
        ("names", r"Letters.directions must have min or max for each of its scores \(letters\)"),
        ("direction", "Letters.directions says that min of letters is better, but outputs equal"),
        ("shares", "The counts of Letters must add up over rows"),
        ("order", "must not depend on the order of the rows"),
        ("nan", "scores of Letters must be finite"),
        ("signature", "Letters.signature must be a text"),
    ],
)
def test_metric(fault, sentence) -> None:
    with pytest.raises(AssertionError, match=sentence):
        testing.check_metric(Letters(fault))
    testing.check_metric(Letters())


class Numbers(Features):
    media = "numbers"

    def __init__(self, fault=None):
        self.width = 2
        if fault == "address":
            self.helper = object()
        self.fault = fault

    def __call__(self, file, place, copy=0):
        from tandem.core.errors import InputError

        if self.fault == "path" and file["bytes"]:
            return np.zeros((1, 2))
        if self.fault == "careless" and not (file["bytes"] or Path(file["path"]).is_file()):
            return np.zeros((1, 2))
        try:
            content = file["bytes"] or Path(file["path"]).read_bytes()
            if self.fault == "crash" and not content:
                raise ZeroDivisionError
            values = np.array(content.decode().split(), dtype=np.float32).reshape(-1, 2)
            if not len(values):
                raise ValueError("nothing in it")
        except (OSError, ValueError) as error:
            name = "The file" if self.fault == "nameless" else place
            raise InputError(f"{name} cannot be read ({error}); correct it.") from error
        if self.fault == "nan":
            values[0] = np.nan
        if self.fault == "random":
            values = values + np.random.default_rng().random(values.shape)
        return values[:, :1] if self.fault == "width" else values


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("width", r"Numbers must make \(L, width\) vectors of a file, L >= 1 and width = 2"),
        ("nan", "Numbers must make finite numbers"),
        ("random", "must read the same file as the same vectors each time"),
        ("path", "must read a file's bytes like its path"),
        ("address", "attributes of Numbers must be shown by their values"),
        (
            "careless",
            "must refuse a file that is missing with an InputError .* but made vectors of it",
        ),
        ("crash", "must refuse a file that is empty with .* but raised ZeroDivisionError"),
        (
            "nameless",
            "must refuse a file that is missing with an InputError that names `place`, but the",
        ),
    ],
)
def test_features(tmp_path, fault, sentence) -> None:
    path = tmp_path / "one.numbers"
    path.write_text("1 2\n3 4\n")
    with pytest.raises(AssertionError, match=sentence):
        testing.check_features(Numbers(fault), path)
    testing.check_features(Numbers(), path)
