"""How a dataset gets its splits: by names, as shares of the training rows, or by a column."""

import logging
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from tandem.core.errors import InputError, written

logger = logging.getLogger(__name__)

Row = TypeVar("Row")
Part = str | float
"""The name of a split's file, folder and the like, or a share of the training rows."""
AUTO = "auto"
WORDS = {"validation": ("validation", "valid", "val", "dev"), "test": ("test",)}
"""What names of splits have in them where that of training has ``train``."""
END = "(?=set|[^a-z]|$)"
TRAIN = re.compile(f"(?<![a-z])train(?:ing)?{END}", re.IGNORECASE)
HELD_OUT = re.compile(f"(?<![a-z])({'|'.join(sum(WORDS.values(), ()))}){END}", re.IGNORECASE)
SHARE = 0.1
"""Of the training rows, for validation, if nothing else is there."""
MOST_NAMED = 12
"""So many names stand in one error."""


@dataclass(frozen=True, kw_only=True)
class Splitting:
    """Where the rows of each split come from; ``auto`` stands for what is there."""

    train: str
    validation: Part
    test: Part | None
    """None: there is no test split."""
    seed: int
    """What shares are drawn from."""

    def __post_init__(self) -> None:
        for key, part in (("validation", self.validation), ("test", self.test)):
            optional = key == "test" and part is None
            named = isinstance(part, str) and part
            if not (optional or named or (isinstance(part, float) and 0 < part < 1)):
                raise InputError(
                    f"dataset.{key} must be the name of the {key} split, or a share of the "
                    f"training rows between 0 and 1 such as 0.1, but is {part!r}."
                )
        if sum(self.shares.values()) >= 1:
            raise InputError(
                f"dataset.validation={written(self.validation)} and "
                f"dataset.test={written(self.test)} are shares of the training rows that leave "
                "none to train on; lower them."
            )

    @property
    def shares(self) -> dict[str, float]:
        """The splits that are shares. Test comes first: it does not change with the other one."""
        parts = {"test": self.test, "validation": self.validation}
        return {name: part for name, part in parts.items() if isinstance(part, float)}

    @property
    def names(self) -> dict[str, str]:
        """The splits that have a name."""
        parts = {"train": self.train, "validation": self.validation, "test": self.test}
        return {name: part for name, part in parts.items() if isinstance(part, str)}

    @property
    def is_open(self) -> bool:
        """Whether what there is decides about a split."""
        return AUTO in (self.train, self.validation, self.test)

    def settled(
        self, names: Sequence[str], *, where: str, has: Callable[[str], bool] | None = None
    ) -> "Splitting":
        """The same with a name or a share in place of each ``auto``.

        :param names: what there is, for ``auto`` and for errors.
        :param where: how an error says where they were looked for, such as "the folder texts".
        :param has: whether there is a split of a name; None: it is one of the names.
        :raises InputError: if no name is fit for training.
        """
        is_there = has or names.__contains__
        train = training_name(names, where=where) if self.train == AUTO else self.train
        validation, test = self.validation, self.test
        if validation == AUTO:
            validation = _counterpart(train, "validation", names, is_there) or SHARE
            if validation == SHARE:
                logger.info("Validation is a tenth of %s (dataset.validation=auto)", train)
        if test == AUTO:
            test = _counterpart(train, "test", names, is_there)
        settled = replace(self, train=train, validation=validation, test=test)
        if settled.names != self.names:
            chosen = ", ".join(f"{split} {name}" for split, name in settled.names.items())
            logger.info("Splits: %s", chosen)
        return settled

    def divide(
        self, splits: Mapping[str, Sequence[Row]], group: Callable[[Row], str]
    ) -> dict[str, Sequence[Row]]:
        """All splits, of which the shares are taken out of the training rows.

        :param splits: the rows of each split that has a name.
        :param group: rows for which it is equal, such as those of one source, are in one split.
        :raises InputError: if a share would take all that is there.
        """
        if not self.shares:
            return dict(splits)
        held = hold_out(splits["train"], self.shares, seed=self.seed, group=group)
        sizes = ", ".join(f"{name} {len(rows):,}" for name, rows in held.items())
        logger.info("Split %s by dataset.seed=%d: %s", self.train, self.seed, sizes)
        together = {**splits, **held}
        return {
            name: together[name] for name in ("train", "validation", "test") if name in together
        }


def training_name(names: Sequence[str], *, where: str) -> str:
    """Return the name of the training split: the one that says so, or the only one."""
    others = [name for name in names if not HELD_OUT.search(name)]
    for candidates in (
        [name for name in names if TRAIN.fullmatch(name)],
        [name for name in others if TRAIN.fullmatch(name.partition(".")[0])],
        [name for name in others if TRAIN.search(name)],
        others,
        names,
    ):
        if len(candidates) == 1:
            return candidates[0]
    if not names:
        raise InputError(
            f"dataset.train=auto finds no training split in {where}; set dataset.train to its "
            "name, or correct dataset.data_dir."
        )
    raise InputError(
        f"dataset.train=auto cannot choose the training split in {where}, as several could be it "
        f"({listed(names)}); set dataset.train to one of them."
    )


def _counterpart(
    train: str, split: str, names: Sequence[str], has: Callable[[str], bool]
) -> str | None:
    """Return the name of another split, which is that of training but for one word."""
    for word in WORDS[split]:
        for name in _renamed(train, word):
            if has(name):
                return name
    if not TRAIN.search(train):  # such as all.csv beside test.csv
        alike = [
            name
            for name in names
            if name.partition(".")[0].lower() in WORDS[split] and name != train
        ]
        return alike[0] if len(alike) == 1 else None
    return None


def _renamed(train: str, word: str) -> Iterator[str]:
    """Yield a training split's name with another word: in its last part, then in all of them."""
    matches = list(TRAIN.finditer(train))
    for first in (len(matches) - 1, 0):
        name = train
        for match in reversed(matches[max(first, 0) :]):
            form = word.capitalize() if match[0][0].isupper() else word
            name = name[: match.start()] + form + name[match.end() :]
        if matches:
            yield name


def listed(names: Sequence[str]) -> str:
    """Return names for an error, not too many of them."""
    shown = ", ".join(names[:MOST_NAMED])
    more = len(names) - MOST_NAMED
    return f"{shown} and {more} more" if more > 0 else shown


def check_streaming(splitting: Splitting, *, streaming: bool) -> None:
    """Refuse shares of a training split that is never held as a whole."""
    if streaming and splitting.shares:
        name, share = next(iter(splitting.shares.items()))
        raise InputError(
            f"dataset.{name}={share} is a share of the training rows, but data.streaming=true "
            f"reads them anew in each epoch; give the {name} split files of its own, or set "
            "data.streaming=false."
        )


def hold_out(
    rows: Sequence[Row],
    shares: Mapping[str, float],
    *,
    seed: int,
    group: Callable[[Row], str],
) -> dict[str, list[Row]]:
    """Take splits out of the training rows at random, whole groups at once.

    A split has at least its share; a group that is larger than a share is taken for it only if
    all others are taken, and the smallest of such groups first.

    :param shares: between 0 and 1, by the name of the split.
    :param group: see :meth:`Splitting.divide`.
    :return: first what remains as ``train``, then each split, their rows in the order of before.
    :raises InputError: if nothing would remain.
    """
    groups = [group(row) for row in rows]
    sizes: dict[str, int] = {}
    for name in groups:
        sizes[name] = sizes.get(name, 0) + 1
    order = sorted(sizes)
    random.Random(seed).shuffle(order)
    split_of = dict.fromkeys(order, "train")
    for split, share in shares.items():
        wanted, taken = round(share * len(rows), 6), 0
        left = [name for name in order if split_of[name] == "train"]
        left.sort(key=lambda name: sizes[name] if sizes[name] > wanted else 0)
        for name in left:
            if taken >= wanted:
                break
            split_of[name] = split
            taken += sizes[name]
    if "train" not in split_of.values():
        raise InputError(
            f"Shares for {' and '.join(shares)} cannot be held out of {len(rows)} training "
            f"examples in {len(sizes)} groups, as nothing would be left to train on; lower the "
            "shares, or give the dataset more examples."
        )
    return {
        split: [row for row, name in zip(rows, groups, strict=True) if split_of[name] == split]
        for split in ("train", *shares)
    }
