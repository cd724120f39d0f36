"""Rules for outputs: what a search may not write, decided symbol by symbol."""

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from tandem.core.errors import InputError
from tandem.core.types import SPECIAL_IDS
from tandem.search.base import checked_count


class Processor(Protocol):
    """Changes the scores of next symbols before a search chooses among them."""

    def __call__(self, scores: Tensor, history: Tensor) -> Tensor:
        """New scores (N, V) from scores (N, V) and what each row has written so far (N, t)."""


def process(processors: Sequence[Processor], scores: Tensor, history: Tensor) -> Tensor:
    """Apply one processor after the other; without any nothing is computed."""
    for processor in processors:
        scores = processor(scores, history)
    return scores


def output_rules(
    *,
    min_length: int,
    no_repeat_ngram: int,
    forced_prefix: Sequence[int],
    banned: Sequence[Sequence[int]],
) -> tuple[Processor, ...]:
    """The rules that a search's options ask for; none for what is off.

    A rule only forbids: it sets scores to ``-inf`` and leaves the others, so that the score of an
    output stays the model's own.

    :param min_length: least symbols of an output, ``eos`` not counted; 0: off.
    :param no_repeat_ngram: no so many symbols in a row come twice (Paulus et al. 2018, section
        2.5, with 3); 0: off.
    :param forced_prefix: ids with which every output begins.
    :param banned: sequences of ids that no output contains.
    :raises InputError: if a value cannot be used, or the prefix breaks another rule.
    """
    checked_count("min_length", min_length, least=0)
    checked_count("no_repeat_ngram", no_repeat_ngram, least=0)
    prefix = _checked_ids("forced_prefix", forced_prefix)
    sequences = checked_sequences("banned", banned)
    rules: list[Processor] = []
    if no_repeat_ngram:
        rules.append(NoRepeat(no_repeat_ngram))
    if sequences:
        rules.append(Banned(sequences))
    _check_prefix(prefix, rules, sequences)
    if prefix:
        rules.insert(0, ForcedPrefix(prefix))
    if min_length:
        rules.append(MinLength(min_length))  # the last one, as it asks what the others leave
    return tuple(rules)


class ForcedPrefix:
    """Every output begins with these ids.

    :param prefix: at least one id.
    """

    def __init__(self, prefix: list[int]) -> None:
        self.prefix = prefix

    def __call__(self, scores: Tensor, history: Tensor) -> Tensor:
        """Forbid all but the prefix's next id."""
        if history.size(1) >= len(self.prefix):
            return scores
        symbol = self.prefix[history.size(1)]
        _check_known(symbol, scores, "forced_prefix")
        forced = torch.full_like(scores, -torch.inf)
        forced[:, symbol] = scores[:, symbol]
        return forced


class NoRepeat:
    """No n-gram comes twice in one output.

    :param size: n, at least 1.
    """

    def __init__(self, size: int) -> None:
        self.size = size

    def __call__(self, scores: Tensor, history: Tensor) -> Tensor:
        """Forbid what would end an n-gram that the row has already."""
        if history.size(1) < self.size:
            return scores
        ngrams = history.unfold(1, self.size, 1)  # (N, t - n + 1, n)
        last = history[:, history.size(1) - self.size + 1 :]  # (N, n - 1)
        begun = (ngrams[:, :, :-1] == last.unsqueeze(1)).all(2)  # (N, t - n + 1)
        rows, places = begun.nonzero(as_tuple=True)
        return _forbid(scores, rows, ngrams[rows, places, -1])


class Banned:
    """No output contains one of these sequences.

    :param sequences: each of at least one id.
    """

    def __init__(self, sequences: list[list[int]]) -> None:
        lengths = sorted({len(sequence) for sequence in sequences})
        self.highest = max(max(sequence) for sequence in sequences)
        self.tables = [
            torch.tensor([sequence for sequence in sequences if len(sequence) == length])
            for length in lengths
        ]
        """(W, m) the sequences of each length m."""

    def __call__(self, scores: Tensor, history: Tensor) -> Tensor:
        """Forbid what would end a sequence."""
        _check_known(self.highest, scores, "banned")
        for table in self.tables:
            sequences, before = table.to(history.device), table.size(1) - 1
            if history.size(1) < before:
                continue
            last = history[:, history.size(1) - before :]  # (N, m - 1)
            begun = (last.unsqueeze(1) == sequences[:, :-1]).all(2)  # (N, W)
            rows, which = begun.nonzero(as_tuple=True)
            scores = _forbid(scores, rows, sequences[which, -1])
        return scores


class MinLength:
    """``eos`` comes after at least so many symbols, unless a row cannot go on in any other way.

    :param least: at least 1.
    """

    def __init__(self, least: int) -> None:
        self.least = least

    def __call__(self, scores: Tensor, history: Tensor) -> Tensor:
        """Forbid ``eos`` while the row is short."""
        if history.size(1) >= self.least:
            return scores
        longer = scores.clone()
        longer[:, SPECIAL_IDS.eos] = -torch.inf
        stuck = longer.max(1, keepdim=True).values == -torch.inf  # (N, 1)
        return torch.where(stuck, scores, longer)


def _forbid(scores: Tensor, rows: Tensor, symbols: Tensor) -> Tensor:
    """The scores (N, V) with ``-inf`` for some symbols (R,) of some rows (R,)."""
    if not len(rows):
        return scores
    return scores.index_put((rows, symbols), scores.new_tensor(-torch.inf))


def checked_sequences(name: str, sequences: Sequence[Sequence[int]]) -> list[list[int]]:
    """The same sequences as lists; raises InputError if they are no sequences of ids."""
    if not isinstance(sequences, Sequence) or not all(sequences):
        raise InputError(
            f"`search.{name}` must be a list of lists of at least one id each, such as "
            f"[[17],[5,6]], but is {sequences!r}."
        )
    return [_checked_ids(f"{name}[{place}]", ids) for place, ids in enumerate(sequences)]


def _checked_ids(name: str, ids: Sequence[int]) -> list[int]:
    """The same ids as a list; raises InputError if they cannot stand inside an output."""
    edges = (SPECIAL_IDS.pad, SPECIAL_IDS.bos, SPECIAL_IDS.eos)
    is_list = isinstance(ids, Sequence) and not isinstance(ids, str)
    if not is_list or not all(type(id_) is int and id_ >= 0 and id_ not in edges for id_ in ids):
        raise InputError(
            f"`search.{name}` must be a list of ids of target symbols, without "
            f"{', '.join(map(str, edges))} (pad, bos and eos), but is {ids!r}."
        )
    return list(ids)


def _check_prefix(prefix: list[int], rules: list[Processor], banned: list[list[int]]) -> None:
    """Refuse a prefix that the other rules forbid."""
    size = 1 + max((max(ids) for ids in (prefix, *banned) if ids), default=0)
    for place, symbol in enumerate(prefix):
        scores = process(rules, torch.zeros(1, size), torch.tensor([prefix[:place]]).long())
        if scores[0, symbol] < 0:
            raise InputError(
                f"`search.forced_prefix` ({prefix}) must keep the other rules, but its symbol "
                f"{place + 1} is forbidden by search.no_repeat_ngram or search.banned; change one "
                "of them."
            )


def _check_known(symbol: int, scores: Tensor, name: str) -> None:
    """Refuse an id that the vocabulary does not have."""
    if symbol >= scores.size(1):
        raise InputError(
            f"`search.{name}` names the id {symbol}, but the target vocabulary ends at "
            f"{scores.size(1) - 1}; correct it."
        )
