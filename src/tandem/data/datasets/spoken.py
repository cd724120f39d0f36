"""Sentences of a small grammar, said by the many voices of espeak-ng."""

import io
import itertools
import logging
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from graphlib import CycleError, TopologicalSorter
from importlib.metadata import version
from typing import Any

import pyarrow as pa
import soundfile
from datasets import Dataset, DatasetDict, Features, Value

from tandem.core.errors import InputError
from tandem.data.audio import resample
from tandem.data.cache import cache_folder, content_key, keep, read_cached
from tandem.data.datasets.file_splits import FILE_FEATURES
from tandem.data.espeak import Espeak

logger = logging.getLogger(__name__)

FORMAT = "1"
"""Changes whenever the same options give other recordings."""
FEATURES = Features({"source": FILE_FEATURES, "target": Value("string")})

ACCENTS = ("en-us", "en-us-nyc", "en", "en-gb-x-rp", "en-gb-scotland", "en-029")
VOICES = {
    "train": (
        *("f1", "f3", "f5", "m1", "m3", "m4", "m5", "m7", "m8", "Alex", "Andrea", "Andy"),
        *("Denis", "Diogo", "Gene", "Henrique", "Hugo", "Mario", "Mike", "Nguyen", "Reed"),
        *("RicishayMax", "Storm", "Tweaky", "adam", "anika", "announcer", "antonio", "aunty"),
        *("belinda", "benjamin", "caleb", "david", "ed", "grandma", "gustave", "ian", "john"),
        *("klatt", "klatt3", "klatt5", "marcelo", "max", "michel", "miguel", "paul", "pedro"),
        *("rob", "robert", "sandro", "steph", "travis", "victor"),
    ),
    "validation": ("f2", "m2", "Alicia", "edward", "grandpa", "linda", "norbert", "pablo"),
    "test": ("f4", "m6", "Annie", "Lee", "Michael", "boris", "quincy", "shelby"),
}
"""Variants of espeak-ng, without its whispers and robots; versions of one voice never part."""
SPEEDS = (150, 210)
"""Words a minute."""
PITCHES = (30, 70)

START = "request"
"""The name that every sentence begins as."""
GRAMMAR: Mapping[str, Sequence[str]] = {
    START: (
        "{please}turn {switch} the {device} in the {room}",
        "{please}set the {room} light to {shade} {colour}",
        "{please}paint the {room} wall {shade} {colour}",
        "{please}set the {room} heater to {number} degrees",
        "set a timer for {number} {unit}",
        "wake me up at {time} on {day}",
        "call {person} at {time}",
        "remind {person} to {task} on {day}",
        "tell {person} to {task} at {time}",
        "play some {music} music in the {room}",
        "play {person} the {music} songs",
        "find a {music} school in {month}",
        "add {number} {item} to my list",
        "buy {number} {item} and some {item}",
        "what is {number} {operator} {number}",
        "book a table for {digit} on {day} at {time}",
        "is the {device} in the {room} still {switch}",
        "how is the weather on {day}",
        "take the {place} road to the {place}",
        "where is the {colour} {thing} of {person}",
        "open the {room} window for {number} {unit}",
    ),
    "please": ("", "", "please ", "now "),
    "switch": ("on", "off"),
    "shade": ("dark", "bright", "warm"),
    "colour": ("red", "green", "blue", "yellow", "orange", "purple", "white", "black", "brown"),
    "room": ("kitchen", "bedroom", "bathroom", "hall", "garage", "garden", "office", "attic"),
    "device": ("light", "lamp", "fan", "heater", "radio", "television", "oven", "camera"),
    "unit": ("seconds", "minutes", "hours"),
    "person": ("anna", "peter", "maria", "daniel", "susan", "thomas", "my mother", "my brother"),
    "task": (
        *("water the plants", "feed the cat", "pay the rent", "clean the car", "walk the dog"),
        *("send the letter", "wash the dishes", "bake a cake"),
    ),
    "music": ("piano", "jazz", "guitar", "dance", "folk", "violin"),
    "item": ("apples", "eggs", "tomatoes", "onions", "lemons", "bananas", "potatoes", "carrots"),
    "thing": ("jacket", "bicycle", "umbrella", "suitcase", "hat", "book"),
    "place": ("station", "airport", "museum", "market", "river", "bridge", "hospital", "school"),
    "operator": ("plus", "minus", "times"),
    "day": (
        *("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
        "the {ordinal} of {month}",
    ),
    "ordinal": ("first", "second", "third", "fourth", "fifth", "sixth", "tenth", "twelfth"),
    "month": ("january", "march", "april", "june", "july", "august", "october", "december"),
    "time": ("{hour} {past}", "half past {hour}", "quarter to {hour}", "noon", "midnight"),
    "hour": ("{digit}", "ten", "eleven", "twelve"),
    "past": ("fifteen", "twenty", "thirty", "forty five", "fifty"),
    "number": ("{digit}", "{teen}", "{tens}", "{tens} {digit}"),
    "digit": ("two", "three", "four", "five", "six", "seven", "eight", "nine"),
    "teen": ("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen"),
    "tens": ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"),
}
"""What each name in braces may stand for."""
NAME = r"{(\w+)}"
"""A name in braces."""
MOST_DRAWS = 100
"""How many draws a sentence may take before the grammar counts as exhausted."""


def spoken(
    *,
    size: int,
    validation_size: int,
    test_size: int,
    sampling_rate: int,
    grammar: Mapping[str, Sequence[str]] | None,
    pronunciations: Mapping[str, str],
    seed: int,
) -> DatasetDict:
    """Speak sentences of a grammar, each once; no sentence and no voice is in two splits.

    The recordings are FLAC of 16 bits, as loud as the voice is, and kept in the cache: the same
    options give the same ones, with the same version of espeak-ng.

    :param size: how many training recordings.
    :param validation_size: how many validation recordings, by voices of their own.
    :param test_size: the same for test.
    :param sampling_rate: in Hz, up to 22050, which is espeak-ng's own.
    :param grammar: what each name may stand for, where other names stand in braces; a sentence
        begins as ``{request}``. None: :data:`GRAMMAR`.
    :param pronunciations: words that are said as another word is.
    :param seed: what sentences, voices, speeds and pitches are drawn from.
    """
    sizes = {"train": size, "validation": validation_size, "test": test_size}
    for split, count in sizes.items():
        key = "size" if split == "train" else f"{split}_size"
        if not 1 <= count <= 50_000:
            raise InputError(f"dataset.{key} ({count}) must be between 1 and 50000.")
    if not 4000 <= sampling_rate <= 22050:
        raise InputError(
            f"dataset.sampling_rate ({sampling_rate}) must be between 4000 and 22050 Hz."
        )
    grammar = GRAMMAR if grammar is None else grammar
    _check_grammar(grammar)
    random_ = random.Random(seed)
    sentences = draw_sentences(grammar, sum(sizes.values()), random_)
    made, start = {}, 0
    for split, count in sizes.items():
        texts = sentences[start : start + count]
        plan = [_draw_manner(split, _said(text, pronunciations), random_) for text in texts]
        made[split] = _load_or_speak(split, texts, plan, sampling_rate, seed)
        start += count
    return DatasetDict(made)


def draw_sentences(
    grammar: Mapping[str, Sequence[str]], count: int, random_: random.Random
) -> list[str]:
    """Return so many different sentences of a grammar.

    :raises InputError: if it seems to have fewer.
    """
    sentences: dict[str, None] = {}
    for _ in range(MOST_DRAWS * count):
        sentences[_expand(f"{{{START}}}", grammar, random_)] = None
        if len(sentences) == count:
            return list(sentences)
    raise InputError(
        f"`dataset.grammar` gave {len(sentences):,} different sentences in {MOST_DRAWS * count:,} "
        f"draws, but {count:,} are asked for; give it more rules, or ask for fewer by dataset.size."
    )


def _check_grammar(grammar: Mapping[str, Sequence[str]]) -> None:
    """Refuse names without rules, and those that contain themselves."""
    inner = {name: {*re.findall(NAME, " ".join(rules))} for name, rules in grammar.items()}
    for name in {START, *itertools.chain(*inner.values())}:
        if not grammar.get(name):
            raise InputError(
                f"`dataset.grammar` must have rules for {name}, but has rules for "
                f"{', '.join(grammar) or 'nothing'}; add them."
            )
    try:
        TopologicalSorter(inner).prepare()
    except CycleError as error:
        raise InputError(
            f"`dataset.grammar` has {error.args[1][0]} inside {error.args[1][0]} "
            f"({' < '.join(error.args[1])}), so that sentences might never end; take it out."
        ) from error


def _expand(text: str, grammar: Mapping[str, Sequence[str]], random_: random.Random) -> str:
    """Replace each name in braces by one of its rules, until none is left."""
    return re.sub(
        NAME, lambda match: _expand(random_.choice(grammar[match[1]]), grammar, random_), text
    )


def _said(text: str, pronunciations: Mapping[str, str]) -> str:
    """Write a sentence as espeak-ng is to read it."""
    return " ".join(pronunciations.get(word, word) for word in text.split())


def _draw_manner(split: str, text: str, random_: random.Random) -> dict[str, Any]:
    """Draw who says a sentence, and how."""
    return {
        "text": text,
        "accent": random_.choice(ACCENTS),
        "variant": random_.choice(VOICES[split]),
        "speed": random_.randint(*SPEEDS),
        "pitch": random_.randint(*PITCHES),
    }


def _load_or_speak(
    split: str, sentences: list[str], plan: list[dict[str, Any]], rate: int, seed: int
) -> Dataset:
    """Return a split from the cache, or speak it and keep it there."""
    options = f"{FORMAT} {rate} {seed} {version('espeakng-loader')}"
    key = content_key(options, sentences, [repr(manner) for manner in plan])
    path = cache_folder() / "spoken" / f"{split}-{key}.arrow"
    if read_cached(path) is None:
        logger.info("Synthesizing %s sentences of the %s split", f"{len(sentences):,}", split)
        table = pa.Table.from_batches(
            list(_speak(sentences, plan, rate, seed)), schema=FEATURES.arrow_schema
        )
        keep(path, _packed(table))
        if not path.is_file():
            return Dataset(table)
    return Dataset.from_file(str(path))


def _speak(
    sentences: list[str], plan: list[dict[str, Any]], rate: int, seed: int
) -> Iterator[pa.RecordBatch]:
    """Yield sentences and their recordings, some hundred at once."""
    speaker = Espeak(seed)
    ratio = Fraction(rate, speaker.rate)
    for start in range(0, len(sentences), 100):
        rows = []
        for text, manner in list(zip(sentences, plan, strict=True))[start : start + 100]:
            samples = resample(speaker.say(**manner), ratio).clip(-1, 1)
            file = io.BytesIO()
            soundfile.write(file, samples, rate, format="FLAC", subtype="PCM_16")
            rows.append({"source": {"path": None, "bytes": file.getvalue()}, "target": text})
        yield pa.RecordBatch.from_pylist(rows, schema=FEATURES.arrow_schema)


def _packed(table: pa.Table) -> bytes:
    """Return a table as a stream that ``Dataset.from_file`` maps into memory."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())
