"""How a dataset gets its splits: each has a name of its own, or is a share of the training rows."""

import logging
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from tandem.core.errors import InputError

logger = logging.getLogger(__name__)

Row = TypeVar("Row")
Part = str | float
"""The name of a split's file, folder and the like, or a share of the training rows."""


@dataclass(frozen=True, kw_only=True)
class Splitting:
    """Where the rows of each split come from."""

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
                f"dataset.validation={self.validation} and dataset.test={self.test} are shares of "
                "the training rows that leave none to train on; lower them."
            )

    @property
    def shares(self) -> dict[str, float]:
        """The splits that are shares. Test comes first: it does not change with the other one."""
        parts = {"test": self.test, "validation": self.validation}
        return {name: part for name, part in parts.items() if isinstance(part, float)}

    def names(self, is_there: Callable[[str], bool]) -> dict[str, str]:
        """The splits that have a name, but for a test split of which there is nothing.

        :param is_there: whether there is anything of this name.
        """
        parts = {"train": self.train, "validation": self.validation, "test": self.test}
        names = {name: part for name, part in parts.items() if isinstance(part, str)}
        if "test" in names and not is_there(names["test"]):
            logger.info("There is no test split: dataset.test=%s does not exist", names.pop("test"))
        return names

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
    all others are taken.

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
        left.sort(key=lambda name: sizes[name] > wanted)
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
