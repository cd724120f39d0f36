"""SCAN: commands to actions, from the grammar of Lake & Baroni (2018), figures 6 and 7."""

import random
from itertools import product

from datasets import DatasetDict

from tandem.core.errors import InputError
from tandem.data.datasets.base import from_pairs

Pair = tuple[str, str]
Phrase = tuple[str, tuple[str, ...]]

PRIMITIVES = {
    "addprim_jump": "jump",
    "addprim_turn_left": "turn left",
    "addprim_turn_right": "turn right",
}
SPLIT_KINDS = ("simple", "length", *PRIMITIVES)
SIMPLE_TRAIN_SIZE = 16_728
LONGEST_TRAINING_OUTPUT = 22

ACTIONS = {"walk": "I_WALK", "look": "I_LOOK", "run": "I_RUN", "jump": "I_JUMP"}
TURNS = {"left": "I_TURN_LEFT", "right": "I_TURN_RIGHT"}


def scan(*, split: str, seed: int, validation_size: int) -> DatasetDict:
    """Generate all pairs and divide them as the published files do.

    The members of ``simple`` are drawn from the seed in the published numbers. In the
    ``addprim`` splits the primitive is repeated, as it is in the published files, to make up a
    tenth of what the rest is. ``addprim_turn_right`` mirrors a published one, so that settings can
    be chosen for that without a look at its test set.

    :param split: simple, length, addprim_jump, addprim_turn_left or addprim_turn_right.
    :param seed: what the validation split, and the simple split, are drawn from.
    :param validation_size: how many of the training pairs are held out.
    """
    if split not in SPLIT_KINDS:
        raise InputError(f"dataset.split ({split}) must be one of {', '.join(SPLIT_KINDS)}.")
    pairs = all_pairs()
    generator = random.Random(seed)
    generator.shuffle(pairs)
    train, test = _divide(pairs, split)
    if not 1 <= validation_size < len(train):
        raise InputError(
            f"dataset.validation_size ({validation_size}) must be at least 1 and less than "
            f"{len(train)}, the number of different training pairs."
        )
    validation, train = train[:validation_size], train[validation_size:]
    if split in PRIMITIVES:
        primitive = next(pair for pair in pairs if pair[0] == PRIMITIVES[split])
        train += [primitive] * ((len(train) + validation_size) // 9)
        generator.shuffle(train)
    return from_pairs({"train": train, "validation": validation, "test": test})


def all_pairs() -> list[Pair]:
    """Return the 20,910 commands with their actions, always in the same order."""
    return [(command, " ".join(actions)) for command, actions in _sentences()]


def _divide(pairs: list[Pair], split: str) -> tuple[list[Pair], list[Pair]]:
    """Return the training pairs, without any repeated primitive, and the test pairs."""
    if split == "simple":
        return pairs[:SIMPLE_TRAIN_SIZE], pairs[SIMPLE_TRAIN_SIZE:]
    if split == "length":
        in_training = [pair[1].count(" ") < LONGEST_TRAINING_OUTPUT for pair in pairs]
    else:
        primitive = PRIMITIVES[split]
        pairs = [pair for pair in pairs if pair[0] != primitive]
        in_training = [primitive not in pair[0] for pair in pairs]
    train = [pair for pair, chosen in zip(pairs, in_training, strict=True) if chosen]
    test = [pair for pair, chosen in zip(pairs, in_training, strict=True) if not chosen]
    return train, test


def _directed() -> list[Phrase]:
    """Return the 34 phrases around one verb, such as ``walk``, ``turn opposite left``."""
    phrases: list[Phrase] = [(verb, (action,)) for verb, action in ACTIONS.items()]
    verbs = [*((verb, (action,)) for verb, action in ACTIONS.items()), ("turn", ())]
    for (verb, action), (side, turn) in product(verbs, TURNS.items()):
        phrases += [
            (f"{verb} {side}", (turn, *action)),
            (f"{verb} opposite {side}", (turn, turn, *action)),
            (f"{verb} around {side}", (turn, *action) * 4),
        ]
    return phrases


def _sentences() -> list[Phrase]:
    """Return phrases, repeated or not, alone or two together."""
    repeated = [
        (command + suffix, actions * times)
        for (command, actions), (suffix, times) in product(
            _directed(), (("", 1), (" twice", 2), (" thrice", 3))
        )
    ]
    sentences = list(repeated)
    for (first, actions), (second, other_actions) in product(repeated, repeated):
        sentences.append((f"{first} and {second}", actions + other_actions))
        sentences.append((f"{first} after {second}", other_actions + actions))
    return sentences
