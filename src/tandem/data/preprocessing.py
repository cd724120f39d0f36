"""Preprocessing: what turns sources and targets into numbers, and what learns it."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from tandem.core.errors import InputError
from tandem.data.cache import cache_folder, content_key, keep, read_cached
from tandem.data.readers import SourceReader, TextReader
from tandem.data.tokenizers.base import TokenizerRecipe
from tandem.data.tokenizers.tokenizer import Tokenizer

logger = logging.getLogger(__name__)

SOURCE, TARGET = "source.json", "target.json"

Texts = Callable[[str], Iterable[str]]
"""Reads the training texts of a column, ``source`` or ``target``."""


@dataclass(frozen=True)
class Processors:
    """What reads the source and what reads and writes the target."""

    source: SourceReader
    target: Tokenizer
    shared: bool
    """Whether both sides have one vocabulary."""


@dataclass(frozen=True, kw_only=True)
class LearnProcessors:
    """Learns the tokenizers from the training split, and only from it.

    :raises InputError: if the sides share a tokenizer but have different recipes.
    """

    reader: Callable[[Tokenizer], SourceReader] | None
    """Makes of the target's tokenizer what reads sources that nothing is learnt from; None: they
    are texts."""
    source_recipe: TokenizerRecipe
    target_recipe: TokenizerRecipe
    truncate_source: int | None
    """Of a longer source text only so many symbols are read."""
    given: Mapping[str, Tokenizer] = field(default_factory=dict)
    """Tokenizers, ``source.json`` or ``target.json``, that are not to be learnt; a shared one is
    the target's."""
    tokenizer_folder: Path | None = None
    """A folder with tokenizers, which are taken instead of learning others; see
    :func:`tokenizer_files`."""

    def __post_init__(self) -> None:
        if self.shared and self.source_recipe != self.target_recipe:
            raise InputError(
                "tokenizer.shared=true needs one recipe for both sides, but `source_tokenizer` "
                "differs from `tokenizer`; set tokenizer.shared=false or source_tokenizer=null."
            )

    @property
    def shared(self) -> bool:
        """Whether both sides get one vocabulary."""
        return self.reader is None and self.target_recipe.shared

    @property
    def learns(self) -> bool:
        """Whether there is a tokenizer to learn."""
        has_source_texts = self.reader is None and not self.shared
        return not self.given.keys() >= {TARGET, *([SOURCE] if has_source_texts else [])}

    def __call__(self, texts: Texts) -> Processors:
        """Learn from the columns ``source``, if it is text, and ``target``."""
        columns = ("source", "target") if self.shared else ("target",)
        target = self._tokenizer(TARGET, self.target_recipe, texts, columns)
        if self.reader is not None:
            reader = self.reader(target)
            return Processors(reader, target, shared=target in reader.tokenizers)
        source = target
        if not self.shared:
            source = self._tokenizer(SOURCE, self.source_recipe, texts, ("source",))
        texts_reader = TextReader(source, truncate=self.truncate_source, before=source.before)
        return Processors(texts_reader, target, shared=self.shared)

    def _tokenizer(
        self, name: str, recipe: TokenizerRecipe, texts: Texts, columns: tuple[str, ...]
    ) -> Tokenizer:
        """The one that is given or in the folder, or a new one."""
        if name in self.given:
            return self.given[name]
        if self.tokenizer_folder is not None and (self.tokenizer_folder / name).is_file():
            try:
                return Tokenizer.from_json(
                    (self.tokenizer_folder / name).read_text(encoding="utf-8")
                )
            except (OSError, ValueError) as error:
                logger.warning(
                    "%s is damaged (%s); learning it again", self.tokenizer_folder / name, error
                )
        return _learned(recipe, texts, columns)


def tokenizer_files(processors: Processors) -> dict[str, Tokenizer]:
    """The tokenizers by the names of their files in a folder for :class:`LearnProcessors`."""
    files = {TARGET: processors.target}
    if not processors.shared:
        for number, tokenizer in enumerate(processors.source.tokenizers):
            files[SOURCE.replace(".", f"_{number}.") if number else SOURCE] = tokenizer
    return files


def _learned(recipe: TokenizerRecipe, texts: Texts, columns: tuple[str, ...]) -> Tokenizer:
    """Learn a tokenizer, or read it from the cache if the same was learnt from the same texts."""
    fixed = recipe.read()
    if fixed is not None:
        return fixed

    def all_texts() -> Iterator[str]:
        return chain.from_iterable(texts(column) for column in columns)

    path = cache_folder() / "tokenizers" / f"{content_key(repr(recipe), all_texts())}.json"
    cached = read_cached(path)
    if cached is not None:
        return Tokenizer.from_json(str(cached.checked, "utf-8"))
    tokenizer = recipe.train(all_texts())
    keep(path, tokenizer.to_json().encode())
    return tokenizer
