"""What models do for requests."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self, final

from tandem.core.types import SPECIAL_IDS
from tandem.data.columns import SourceColumn
from tandem.inference import Bundle
from tandem.inference.decoding import Decoding
from tandem.inference.records import finite, output_record, output_records
from tandem.inference.scoring import score_pairs
from tandem.inference.source_attention import source_attention
from tandem.search import Heard, Listener
from tandem.serving.batching import Task
from tandem.serving.joined_column import JoinedColumn
from tandem.serving.served_model import ServedModel


@dataclass(frozen=True, kw_only=True)
class ModelTask(Task):
    """A task of one model, whose sources have been read."""

    model: ServedModel
    columns: Sequence[SourceColumn]
    max_tokens: int
    together_with: Hashable = None
    """What it shares with tasks that are done together with it; None: it is done alone."""

    @property
    def key(self) -> Hashable:
        """See :class:`Task`."""
        if self.together_with is None:
            return None
        return type(self), self.model.name, self.together_with

    @property
    def lengths(self) -> list[int]:
        """See :class:`Task`."""
        return [int(column.padded_lengths[0]) for column in self.columns]

    @property
    def room(self) -> int:
        """See :class:`Task`."""
        return self.max_tokens * self.model.bundle.processors.source.positions_per_symbol

    def _joined(self, others: Sequence["ModelTask"]) -> SourceColumn:
        """The sources of this task and others."""
        return JoinedColumn([column for task in (self, *others) for column in task.columns])


def _cut(answers: Sequence[Any], tasks: Sequence[ModelTask]) -> list[list[Any]]:
    """What belongs to each task of the answers to all of their sources."""
    rest = iter(answers)
    return [[next(rest) for _ in task.columns] for task in tasks]


@final
@dataclass(frozen=True, kw_only=True)
class Generation(ModelTask):
    """Outputs for sources."""

    decoding: Decoding
    n_best: int
    attention: bool

    def answers(self, others: Sequence[Self], check: Callable[[], None]) -> list[Any]:
        """See :class:`Task`: the records of each source's outputs."""
        bundle = _listened(self.model.bundle, self.decoding, lambda heard: check())
        tasks: list[Self] = [self, *others]
        column = self._joined(others)
        found = _cut(bundle.hypotheses_of(column, max_tokens=self.max_tokens), tasks)
        return [task._records(outputs) for task, outputs in zip(tasks, found, strict=True)]

    def _records(self, found: list[list[Any]]) -> list[list[dict[str, Any]]]:
        found = [hypotheses[: self.n_best] for hypotheses in found]
        bundle, attention = self.model.bundle, None
        if self.attention:
            attention = source_attention(
                bundle.model,
                bundle.processors,
                self._joined(()),
                found,
                max_tokens=self.max_tokens,
            )
        return output_records(bundle.processors.target, found, attention)


@final
@dataclass(frozen=True, kw_only=True)
class Stream(ModelTask):
    """One output, whose symbols are told as they are found."""

    decoding: Decoding
    tell: Callable[[dict[str, Any]], None]
    """Gets each event."""

    def answers(self, others: Sequence[Self], check: Callable[[], None]) -> list[Any]:
        """See :class:`Task`: the last event."""
        target = self.model.bundle.processors.target
        written: list[int] = []

        def write(token: int) -> None:
            if token not in (SPECIAL_IDS.bos, SPECIAL_IDS.eos):
                written.append(token)
                (symbol,) = target.tokens([token])
                self.tell({"token": symbol, "text": target.decode(written)})

        def hear(heard: Heard) -> None:
            check()
            write(int(heard.tokens[0]))

        bundle = _listened(self.model.bundle, self.decoding, hear)
        ((best, *_),) = bundle.hypotheses_of(self._joined(others), max_tokens=self.max_tokens)
        for token in best.tokens[len(written) :]:  # what no step reads any more
            write(token)
        return [{"done": True, **output_record(target, best)}]


@final
@dataclass(frozen=True, kw_only=True)
class Scoring(ModelTask):
    """How probable given targets are."""

    targets: Sequence[str]

    def answers(self, others: Sequence[Self], check: Callable[[], None]) -> list[Any]:
        """See :class:`Task`: a record for each pair."""
        check()
        bundle = self.model.bundle
        tasks: list[Self] = [self, *others]
        scored = score_pairs(
            bundle.model,
            bundle.processors,
            self._joined(others),
            [target for task in tasks for target in task.targets],
            alignment=False,
            max_tokens=self.max_tokens,
        )
        records = [
            {
                "log_prob": finite(pair.log_prob),
                "tokens": pair.tokens,
                "log_probs": [finite(value) for value in pair.log_probs],
            }
            for pair in scored
        ]
        return _cut(records, tasks)


@final
@dataclass(frozen=True, kw_only=True)
class Inspecting(ModelTask):
    """One source's way through the model."""

    decoding: Decoding
    prefix: Sequence[int]
    given: str
    """The source as a page shows it: a text, or nothing."""
    described: Mapping[str, Any]
    """What ``GET /models`` says of the model."""

    def answers(self, others: Sequence[Self], check: Callable[[], None]) -> list[Any]:
        """See :class:`Task`: the record."""
        check()
        bundle = _listened(self.model.bundle, self.decoding, lambda heard: check())
        seen = bundle.inspect_of(self._joined(others), given=self.given, prefix=self.prefix)
        record = seen.to_json()
        record["model"] = {**record["model"], **self.described}
        return [record]


def _listened(bundle: Bundle, decoding: Decoding, listener: Listener) -> Bundle:
    """The bundle with another decoding, each step of which is heard; what that raises ends it.

    What searches by itself is not heard, and comes to its end.
    """
    if bundle.model.searches_itself:
        return replace(bundle, decoding=decoding)
    return replace(bundle, decoding=replace(decoding, listener=listener))
