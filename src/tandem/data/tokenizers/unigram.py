"""Unigram language model over pieces: Kudo (2018), section 3.2."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import tokenizers
from tokenizers import models, trainers

from tandem.core.errors import InputError
from tandem.core.types import SPECIAL_IDS
from tandem.data.tokenizers.base import (
    TokenizerRecipe,
    check_alphabet,
    check_room,
    check_vocabulary_size,
    learn,
    spaced_words,
)
from tandem.data.tokenizers.cutters import UnigramSampling
from tandem.data.tokenizers.tokenizer import INNER_SPECIALS, PIECES, Tokenizer

WORD_END = "\U0010ffff"
"""Unicode reserves this code point for uses within a program; texts do not have it."""


@dataclass(frozen=True, kw_only=True)
class UnigramTokenizer(TokenizerRecipe):
    """Cuts a word into its most probable pieces; a run of new characters is one unknown symbol.

    :param vocabulary_size: at most so many ids: special symbols, characters and longer pieces.
    :param sampling_alpha: see :class:`UnigramSampling`; None cuts training texts as all others.
    """

    vocabulary_size: int
    sampling_alpha: float | None = field(repr=False)  # changes nothing that is learnt

    def __post_init__(self) -> None:
        """Check the options."""
        super().__post_init__()
        check_vocabulary_size(self.vocabulary_size)
        if self.sampling_alpha is not None and self.sampling_alpha < 0:
            raise InputError(
                f"The tokenizer's `sampling_alpha` ({self.sampling_alpha}) must be at least 0, or "
                "null for no sampling."
            )

    def train(self, texts: Iterable[str]) -> Tokenizer:
        """Learn pieces and their probabilities."""
        inner = tokenizers.Tokenizer(models.Unigram())
        inner.normalizer = self.normalizer()
        inner.pre_tokenizer = spaced_words()
        trainer = trainers.UnigramTrainer(
            vocab_size=self.vocabulary_size + 1,  # one more for the word end, which goes below
            special_tokens=list(INNER_SPECIALS),
            unk_token=INNER_SPECIALS[SPECIAL_IDS.unk],
            show_progress=False,
        )
        characters = {" "}
        try:
            trained = learn(inner, trainer, _with_word_ends(texts, characters))
        except Exception as error:  # the library raises no narrower type
            if "not large enough" not in str(error):
                raise
            normal = inner.normalizer.normalize_str("".join(sorted(characters)))
            check_room(len(set(normal)) + len(INNER_SPECIALS), self.vocabulary_size)
            raise
        trained = _settled(trained)
        check_alphabet(trained, self.vocabulary_size)
        return Tokenizer(trained, spelling=PIECES)

    def cutter(self, tokenizer: Tokenizer) -> UnigramSampling | None:
        """Draw among cuts, if that is wanted."""
        if self.sampling_alpha is None:
            return None
        return UnigramSampling(tokenizer, alpha=self.sampling_alpha)


def _with_word_ends(texts: Iterable[str], characters: set[str]) -> Iterator[str]:
    """Yield each text twice, once with a mark at the end of each word; note the characters.

    The library takes its first pieces from strings that are followed by different characters. The
    end of a word always counts as the same one, so without the mark whole words could not become
    pieces, and texts would be a fifth longer in tokens.
    """
    for text in texts:
        words = text.split()
        characters.update(*words)
        yield text
        yield "".join(f"{word}{WORD_END} " for word in words)


def _settled(inner: tokenizers.Tokenizer) -> tokenizers.Tokenizer:
    """Return the tokenizer without the mark, and the same for the same texts.

    The library adds up in an order that changes from run to run, so that the last digits differ,
    and gives rare characters the lowest score plus steps of 0.0001 in any order. Here scores are
    rounded, and these characters all get the lowest one.
    """
    record = json.loads(inner.to_str())
    vocabulary = record["model"]["vocab"]
    special, learnt = vocabulary[: len(INNER_SPECIALS)], vocabulary[len(INNER_SPECIALS) :]
    scores = {piece: score for piece, score in learnt if piece != WORD_END}
    lowest = min(scores.values(), default=0.0)
    rare = lowest + 0.0001 * (1 + sum(len(piece) == 1 for piece in scores))
    settled = [
        [piece, round(lowest if len(piece) == 1 and score < rare else score, 6)]
        for piece, score in scores.items()
    ]
    record["model"]["vocab"] = special + sorted(settled, key=lambda entry: (-entry[1], entry[0]))
    return tokenizers.Tokenizer.from_str(json.dumps(record))
