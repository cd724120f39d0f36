"""From what a request says to the work that a model does for it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tandem.core.errors import InputError, nearest
from tandem.data.columns import SourceColumn
from tandem.inference.decoding import Decoding
from tandem.inference.texts import check_equally_many
from tandem.serving.bodies import GenerateBody, InspectBody, ScoreBody
from tandem.serving.errors import RequestError
from tandem.serving.limits import Limits
from tandem.serving.searches import STREAMED
from tandem.serving.served_model import ServedModel
from tandem.serving.sources import read_source
from tandem.serving.tasks import Generation, Inspecting, Scoring, Stream

Tell = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Preparation:
    """Checks requests, and reads their sources.

    :param sentence: the message of an error with remedies that whoever sends a request has.
    """

    models: Mapping[str, ServedModel]
    limits: Limits
    sentence: Callable[[InputError], str]

    def model(self, name: str | None) -> ServedModel:
        """The model of a name; None: the first one.

        :raises RequestError: 404, if there is none.
        """
        name = next(iter(self.models)) if name is None else name
        if name not in self.models:
            raise RequestError(
                404,
                f"There is no model {name!r:.80}{nearest(name, self.models)}; GET /models lists "
                "them.",
            )
        return self.models[name]

    def generation(self, body: GenerateBody) -> Generation:
        """The work of ``POST /generate``."""
        model, (decoding, key) = self.model(body.model), self.decoding(body)
        if body.n_best > decoding.width:
            raise RequestError(
                422,
                f"`n_best` must be at most {decoding.width}, which the search keeps of each "
                f"source, but is {str(body.n_best)[:20]}; widen the search by its options.",
            )
        if body.attention and not model.bundle.model.has_weights:
            raise RequestError(
                422,
                f"The attention of the model {model.name} has no weights; leave `attention` out.",
            )
        return Generation(
            model=model,
            columns=self.columns(model, body.sources),
            max_tokens=self.limits.max_tokens,
            together_with=key,
            decoding=decoding,
            n_best=body.n_best,
            attention=body.attention,
        )

    def stream(self, body: GenerateBody, tell: Tell) -> Stream:
        """The same with an output that is told symbol by symbol."""
        model, (decoding, _) = self.model(body.model), self.decoding(body)
        kind = model.kind(body.search)
        if kind.name not in STREAMED or decoding.width > 1 or len(body.sources) > 1:
            raise RequestError(
                422,
                "A stream has one output of one source, by a search that takes no symbol back; "
                f"choose one of {', '.join(STREAMED)} and give one source.",
            )
        if model.bundle.model.searches_itself:
            raise RequestError(
                422,
                f"The model {model.name} is computed by a program that tells whole outputs only; "
                "leave `stream` out.",
            )
        if body.attention:
            raise RequestError(422, "A stream has no attention; leave `attention` out.")
        return Stream(
            model=model,
            columns=self.columns(model, body.sources),
            max_tokens=self.limits.max_tokens,
            decoding=decoding,
            tell=tell,
        )

    def scoring(self, body: ScoreBody) -> Scoring:
        """The work of ``POST /score``."""
        model = self.model(body.model)
        try:
            check_equally_many(body.sources, body.targets, "targets")
        except InputError as error:
            raise RequestError(422, str(error)) from error
        columns = self.columns(model, body.sources)
        target, most = model.bundle.processors.target, self.limits.max_source_length
        lengths = map(len, target.encode_batch(list(body.targets)))
        for number, length in enumerate(lengths, start=1):
            if length > most:
                raise RequestError(
                    413,
                    f"The target {number} has {length:,} symbols, but this server reads at most "
                    f"{most:,}; shorten it.",
                )
        return Scoring(
            model=model,
            columns=columns,
            max_tokens=self.limits.max_tokens,
            together_with="score",
            targets=body.targets,
        )

    def inspecting(self, body: InspectBody) -> Inspecting:
        """The work of ``POST /inspect``."""
        model, (decoding, _) = self.model(body.model), self.decoding(body)
        return Inspecting(
            model=model,
            columns=self.columns(model, [body.source]),
            max_tokens=self.limits.max_tokens,
            decoding=decoding,
            prefix=body.prefix,
            given=body.source if model.media == "text" else "",
            described=self.described(model),
        )

    def described(self, model: ServedModel) -> dict[str, Any]:
        """What ``GET /models`` says of a model."""
        return model.described(
            max_width=self.limits.max_width, max_source_length=self.limits.max_source_length
        )

    def decoding(self, body: GenerateBody | InspectBody) -> tuple[Decoding, Any]:
        """How outputs are found, and what tells that from other ways; None for what is random."""
        model = self.model(body.model)
        kind = model.kind(body.search)
        if body.search is None and not body.options:
            search = model.bundle.decoding.search
        else:
            search = kind.made(body.options, max_width=self.limits.max_width)
        key = None if kind.is_random else (kind.name, repr(sorted(body.options.items())))
        return model.decoding(search), key

    def columns(self, model: ServedModel, sources: Sequence[str]) -> list[SourceColumn]:
        """The sources as the model reads them.

        :raises RequestError: 413 or 422, if there are too many, or one is too long or unusable.
        """
        if len(sources) > self.limits.max_sources:
            raise RequestError(
                413,
                f"The request has {len(sources):,} sources, but this server takes at most "
                f"{self.limits.max_sources:,} at a time; send several requests.",
            )
        return [
            read_source(
                source,
                str(number),
                model.bundle.processors.source,
                most=self.limits.max_source_length,
                sentence=self.sentence,
            )
            for number, source in enumerate(sources, start=1)
        ]
