"""A trained model with what requests may ask of it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tandem.core.errors import InputError, nearest
from tandem.inference import Bundle
from tandem.inference.decoding import Decoding
from tandem.search import Search
from tandem.serving.errors import RequestError
from tandem.serving.searches import SearchKind

OWN = "own"
"""The name of a search that a bundle brings, where it is none of those that a request may name."""


@dataclass(frozen=True)
class ServedModel:
    """One bundle under a name."""

    name: str
    bundle: Bundle
    folder: Path
    """Of the run, where its examples are."""
    searches: Mapping[str, SearchKind]
    """By their names."""
    default_search: str
    """The one that the model was trained with."""
    part_names: Mapping[str, str]
    """What ``conf/`` calls a part, by the full name of its class."""

    @classmethod
    def of(
        cls,
        name: str,
        bundle: Bundle,
        folder: Path,
        searches: Mapping[str, SearchKind],
        part_names: Mapping[str, str],
    ) -> "ServedModel":
        """Find the search that the bundle brings among those that a request may name."""
        spec = bundle.config["search"]
        for kind in searches.values():
            if kind.target == spec.get("_target_"):
                own = kind.with_defaults(spec)
                break
        else:
            own = SearchKind(OWN, "", lambda: bundle.decoding.search, {})
        return cls(name, bundle, folder, {**searches, own.name: own}, own.name, part_names)

    @property
    def media(self) -> str:
        """What its sources are."""
        return self.bundle.processors.source.media

    def kind(self, search: str | None) -> SearchKind:
        """The search of a name; None: the one that the model was trained with.

        :raises RequestError: 422, if there is none.
        """
        name = self.default_search if search is None else search
        if name not in self.searches:
            raise RequestError(
                422,
                f"There is no search {name!r:.60}{nearest(name[:60], self.searches)}; choose one "
                f"of {', '.join(self.searches)}.",
            )
        return self.searches[name]

    def decoding(self, search: Search) -> Decoding:
        """How outputs are found with a search in place of the bundle's.

        :raises RequestError: 422, if the target vocabulary lacks what the search names.
        """
        own = self.bundle.decoding
        if search is own.search:
            return own
        try:
            return replace(own, search=search.bind(self.bundle.processors.target))
        except InputError as error:
            raise RequestError(422, str(error)) from error

    def described(self, *, max_width: int, max_source_length: int) -> dict[str, Any]:
        """What ``GET /models`` says of it."""
        parts = self.bundle.config["model"]
        reader = self.bundle.processors.source
        return {
            "name": self.name,
            "media": reader.media,
            "encoder": self._part_name(parts["encoder"]),
            "decoder": self._part_name(parts["decoder"]),
            "attention": self._part_name(parts["decoder"].get("attention")),
            "parameters": self.bundle.model.num_parameters(),
            "prompt": reader.prompt,
            "searches": {name: kind.described(max_width) for name, kind in self.searches.items()},
            "default_search": self.default_search,
            "max_source_length": max_source_length * reader.positions_per_symbol,
        }

    def _part_name(self, spec: Any) -> str:
        """What ``conf/`` calls a part; of a user's own, the name of its class."""
        if not isinstance(spec, Mapping):
            return "none"
        target = str(spec.get("_target_"))
        cell = spec.get("cell")
        return cell if isinstance(cell, str) else self.part_names.get(target, target)
