"""Sequences of target symbols that a user gives as text or as ids."""

from collections.abc import Sequence
from typing import Protocol

from tandem.core.errors import InputError
from tandem.core.types import SPECIAL_IDS

MOST_SEQUENCES = 100_000
EDGES = (SPECIAL_IDS.pad, SPECIAL_IDS.bos, SPECIAL_IDS.eos)
"""What cannot stand inside an output."""


class Vocabulary(Protocol):
    """The target symbols; every tokenizer of :mod:`tandem.data` is one."""

    @property
    def vocabulary_size(self) -> int:
        """The number of ids, special ones included."""

    @property
    def symbols(self) -> Sequence[str]:
        """What each id stands for."""

    def encode_batch(self, texts: list[str]) -> list[list[int]]:
        """Each text's ids, without special ones at its ends."""


def checked_sequence(key: str, sequence: Sequence[int] | str) -> list[int] | str:
    """The same text or list of ids; raises InputError if it is empty or no such thing.

    :param key: where the config has it, such as ``rule.forced_prefix.prefix``.
    """
    if isinstance(sequence, str) and sequence.strip():
        return sequence
    is_list = isinstance(sequence, Sequence) and not isinstance(sequence, str) and sequence
    if not is_list or not all(
        type(id_) is int and id_ >= 0 and id_ not in EDGES for id_ in sequence
    ):
        raise InputError(
            f"`{key}` must be a text or a list of ids of target symbols, without "
            f"{', '.join(map(str, EDGES))} (pad, bos and eos), but is {sequence!r}."
        )
    return [id_ for id_ in sequence if isinstance(id_, int)]


def checked_sequences(key: str, sequences: Sequence[Sequence[int] | str]) -> list[list[int] | str]:
    """The same texts and lists of ids; raises InputError if there is none or a bad one."""
    if isinstance(sequences, str) or not isinstance(sequences, Sequence) or not sequences:
        raise InputError(
            f"`{key}` must be a list of texts or of lists of ids, at least one, such as "
            f'["a dog",[5,6]], but is {sequences!r}.'
        )
    if len(sequences) > MOST_SEQUENCES:
        raise InputError(
            f"`{key}` must be at most {MOST_SEQUENCES:,} texts or lists of ids, but has "
            f"{len(sequences):,}; leave some out."
        )
    return [checked_sequence(f"{key}[{place}]", one) for place, one in enumerate(sequences)]


def ids_of(key: str, sequence: list[int] | str, vocabulary: Vocabulary) -> list[int]:
    """The ids of a text, or the same ids.

    :raises InputError: if the vocabulary cannot write the text or does not have an id.
    """
    if isinstance(sequence, str):
        (ids,) = vocabulary.encode_batch([sequence])
        if not ids or SPECIAL_IDS.unk in ids:
            raise InputError(
                f"`{key}` holds {sequence!r}, which cannot be written with the target vocabulary; "
                "correct it."
            )
        return ids
    if max(sequence) >= vocabulary.vocabulary_size:
        raise InputError(
            f"`{key}` names the id {max(sequence)}, but the target vocabulary ends at "
            f"{vocabulary.vocabulary_size - 1}; correct it."
        )
    return sequence


def bound(sequences: Sequence[list[int] | str]) -> list[list[int]]:
    """The same lists of ids, among which no text may be left: see ``bind``."""
    ids = [sequence for sequence in sequences if not isinstance(sequence, str)]
    assert len(ids) == len(sequences), "bind() comes first"
    return ids
