"""Tokenizers that others have trained, with their ids in our order."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tokenizers

from tandem.core.errors import InputError, reason_of
from tandem.core.types import SPECIAL_IDS
from tandem.data.tokenizers.base import TokenizerRecipe
from tandem.data.tokenizers.sentence_pieces import (
    PIECES_SUFFIX,
    SOURCE_PIECES,
    VOCABULARY,
    read_pieces,
)
from tandem.data.tokenizers.tokenizer import INNER_SPECIALS, LIBRARY, TARGET_TOKENIZER, Tokenizer
from tandem.pretrained.checkpoint import TOKENIZER, Checkpoint

KEY = "tokenizer.path"
BUNDLE = "bundle"
"""The folder of a run that holds its bundle."""


@dataclass(frozen=True, kw_only=True)
class PretrainedTokenizer(TokenizerRecipe):
    """Reads a tokenizer of the library tokenizers, as a checkpoint of transformers has it.

    The four special ids of ours come first: ``eos`` is what ends a text there, ``bos`` is new, and
    all other symbols follow in their order. Symbols that stand for no text, such as ``[CLS]``,
    remain, and no text can become one of them.

    :param path: a folder with a ``tokenizer.json``, a name on the Hugging Face Hub, or the folder
        of a run or bundle of ours, whose target tokenizer is taken as it is.
    :param file: another file of the folder, such as Marian's ``source.spm``.
    """

    path: str
    file: str | None = None
    lowercase: bool = field(init=False, default=False)
    normalization: str = field(init=False, default="none")

    def read(self) -> Tokenizer:
        """Return the tokenizer; raises InputError if there is none, or none that can be used."""
        for file in (
            Path(self.path) / BUNDLE / TARGET_TOKENIZER,
            Path(self.path) / TARGET_TOKENIZER,
        ):
            if file.is_file():
                return _own(file)
        return renumbered(Checkpoint.open(self.path, key=KEY), self.file)

    def train(self, texts: Iterable[str]) -> Tokenizer:
        """Return the same, whatever the texts are."""
        return self.read()


@dataclass(frozen=True)
class ForeignVocabulary:
    """What the ids of a checkpoint's own tokenizer stand for."""

    inner: tokenizers.Tokenizer
    ids: dict[str, int]
    """By symbol, special ones included."""
    controls: tuple[str, ...]
    """Symbols that stand for no text."""
    pad: int | None
    eos: int
    unk: int | None
    before: int | None
    """What stands in front of a source."""
    frame: tuple[int, int]
    """How many symbols stand in front of a source, and behind it."""

    def check_frame(self, key: str) -> None:
        """Refuse to read sources with more symbols around them than one on each side.

        :param key: what the user calls the checkpoint by.
        """
        if max(self.frame) > 1:
            raise InputError(
                f"{key} has a tokenizer that puts {self.frame[0]} symbols before a text and "
                f"{self.frame[1]} behind it, but one is the most that is read; choose another "
                "checkpoint."
            )

    def rows(self, symbols: Sequence[str], *, bos: int | None = None) -> list[int | None]:
        """The row of the checkpoint's embeddings for each symbol of a vocabulary of ours.

        :param symbols: see :attr:`Tokenizer.symbols`.
        :param bos: the id with which a decoder starts.
        :return: None for a symbol that the checkpoint does not have.
        """
        special = [self.pad, bos, self.eos, self.eos if self.unk is None else self.unk]
        names = {_control(symbol): self.ids[symbol] for symbol in self.controls}
        own = symbols[len(INNER_SPECIALS) :]
        return [*special, *(names.get(symbol, self.ids.get(symbol)) for symbol in own)]


def read_vocabulary(checkpoint: Checkpoint, file: str | None = None) -> ForeignVocabulary:
    """Read a checkpoint's ``tokenizer.json``.

    :param file: another file in its place; of Marian's two files either has the whole vocabulary.
    :raises InputError: if it is missing or damaged, or has no symbol that ends a text.
    """
    inner = _inner(checkpoint, file or _usual_file(checkpoint))
    ids: dict[str, int] = inner.get_vocab(with_added_tokens=True)
    _check_size(checkpoint, ids)
    record = json.loads(inner.to_str())
    added = [token for token in record["added_tokens"] if token["special"]]
    framed, plain = (inner.encode("a", add_special_tokens=frame).ids for frame in (True, False))
    start = _place(plain, framed)
    before, after = framed[:start], framed[start + len(plain) :]
    named = _named_ids(checkpoint, ids)
    eos = after[0] if after else next((named[k] for k in ("eos", "sep") if k in named), None)
    if eos is None:
        raise InputError(
            f"{checkpoint.key} has a tokenizer without a symbol that ends a text (`eos_token` or "
            "`sep_token` in tokenizer_config.json); choose another checkpoint."
        )
    return ForeignVocabulary(
        inner=inner,
        ids=ids,
        controls=tuple(token["content"] for token in added),
        pad=named.get("pad"),
        eos=eos,
        unk=_unknown(record["model"], ids),
        before=before[0] if before else None,
        frame=(len(before), len(after)),
    )


def _usual_file(checkpoint: Checkpoint) -> str:
    """The file that has the tokenizer, if the user names none."""
    has_pieces = all((checkpoint.folder / name).is_file() for name in (SOURCE_PIECES, VOCABULARY))
    return (
        SOURCE_PIECES if has_pieces and not (checkpoint.folder / TOKENIZER).is_file() else TOKENIZER
    )


def _inner(checkpoint: Checkpoint, file: str) -> tokenizers.Tokenizer:
    """A tokenizer as the library has it."""
    path = checkpoint.folder / file
    if path.suffix == PIECES_SUFFIX and path.is_file():
        return read_pieces(path, checkpoint.read_json(VOCABULARY))
    if not path.is_file():
        raise InputError(
            f"{checkpoint.key} has no {file}; save it there with transformers: "
            f"AutoTokenizer.from_pretrained(...).save_pretrained('{checkpoint.folder}')."
        )
    try:
        inner = tokenizers.Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises no narrower type
        raise InputError(
            f"The file {path} cannot be read ({reason_of(error)[:150]}); get it again."
        ) from error
    inner.no_truncation()
    inner.no_padding()
    return inner


def _check_size(checkpoint: Checkpoint, ids: dict[str, int]) -> None:
    """Refuse a tokenizer that has more symbols than its network."""
    rows, last = checkpoint.config.get("vocab_size"), max(ids.values(), default=0)
    if type(rows) is int and last >= rows:
        raise InputError(
            f"{checkpoint.key} has a tokenizer with the id {last}, but a network for {rows} "
            "symbols, so they are not of one model; get the checkpoint again."
        )


def renumbered(checkpoint: Checkpoint, file: str | None = None) -> Tokenizer:
    """A checkpoint's tokenizer with ids in our order.

    :param file: see :func:`read_vocabulary`.

    :raises InputError: see :func:`read_vocabulary`; or if it has parts that bundles may not have.
    """
    foreign = read_vocabulary(checkpoint, file)
    dropped = {foreign.pad, foreign.eos, foreign.unk}
    controls = set(foreign.controls)
    names = {
        id_: _control(symbol) if symbol in controls else symbol
        for symbol, id_ in sorted(foreign.ids.items(), key=lambda entry: entry[1])
        if id_ not in dropped
    }
    order = {name: place for place, name in enumerate([*INNER_SPECIALS, *names.values()])}
    record = json.loads(foreign.inner.to_str())
    normalizer = record["normalizer"]
    if normalizer is None or normalizer["type"] != "Sequence":
        normalizer = {"type": "Sequence", "normalizers": [normalizer] if normalizer else []}
    record |= {"added_tokens": [], "post_processor": None, "normalizer": normalizer}
    _renumber(record["model"], order)
    try:
        inner = tokenizers.Tokenizer.from_str(json.dumps(record))
        tokenizer = Tokenizer(
            inner,
            spelling=LIBRARY,
            controls=[
                order[name]
                for name in map(_control, foreign.controls)
                if name in order and name not in INNER_SPECIALS
            ],
            before=None if foreign.before is None else order[names[foreign.before]],
        )
        tokenizer.to_json()  # which checks the parts
    except Exception as error:  # the library raises no narrower type
        raise InputError(
            f"{checkpoint.key} has a tokenizer that Tandem does not read "
            f"({reason_of(error)[:200]}); choose tokenizer=bpe, which learns one from your texts, "
            "or another checkpoint."
        ) from error
    return tokenizer


def _own(file: Path) -> Tokenizer:
    """A tokenizer of ours."""
    try:
        return Tokenizer.from_json(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"The file {file} is damaged ({reason_of(error)}); take the bundle from its run again."
        ) from error


def _control(symbol: str) -> str:
    """What a symbol that stands for no text is called, so that no text becomes it."""
    return f" {symbol} "


def _place(inner: list[int], outer: list[int]) -> int:
    """Where one list begins in another."""
    return next(start for start in range(len(outer)) if outer[start : start + len(inner)] == inner)


def _named_ids(checkpoint: Checkpoint, ids: dict[str, int]) -> dict[str, int]:
    """The ids of ``pad``, ``eos`` and ``sep``, as the folder's files name them."""
    named = {}
    for source in ("special_tokens_map.json", "tokenizer_config.json"):
        for key, value in checkpoint.read_json(source).items():
            symbol = value.get("content") if isinstance(value, dict) else value
            if key.endswith("_token") and isinstance(symbol, str) and symbol in ids:
                named[key.removesuffix("_token")] = ids[symbol]
    for name in ("pad", "eos"):
        id_ = checkpoint.config.get(f"{name}_token_id")
        if name not in named and type(id_) is int:
            named[name] = id_
    return named


def _unknown(model: dict[str, Any], ids: dict[str, int]) -> int | None:
    """The id of unknown symbols."""
    if model["type"] == "Unigram":
        return model["unk_id"]
    return ids.get(model.get("unk_token") or "")


def _renumber(model: dict[str, Any], order: dict[str, int]) -> None:
    """Give a model's symbols other ids, in place."""
    unknown = INNER_SPECIALS[SPECIAL_IDS.unk]
    if model["type"] == "Unigram":
        scores = dict(model["vocab"])
        model["vocab"] = [[symbol, scores.get(symbol, 0.0)] for symbol in order]
        model["unk_id"] = SPECIAL_IDS.unk
    else:
        model["vocab"] = order
        if model.get("unk_token") is not None:
            model["unk_token"] = unknown
    if model["type"] == "BPE":
        model["merges"] = [pair for pair in model["merges"] if "".join(pair) in order]
