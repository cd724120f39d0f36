"""Configs of hostile bundles: values, sizes, structures and names."""

import gzip
import pickle
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hostile import GIGABYTE, POISON, Damage, Path_, Variant, change, put, read, without

from tandem.inference.files import CONFIG

FEATURES = ("source", "options", "features")
SIZES: tuple[tuple[str, Path_, tuple[Any, ...]], ...] = (
    *(
        ("words", ("model", part, key), (16_000, 10**7))
        for part in ("encoder", "decoder")
        for key in ("hidden_size", "num_layers")
    ),
    *(
        ("words", ("model", part, "embedding_size"), (10**5, 10**7, 10**12))
        for part in ("model", "frontend")
    ),
    ("words", ("max_length",), (5 * 10**8, 10**6)),
    ("pieces", ("search", "width"), (2000, 10**5, 10**7)),
    ("unigram", ("search", "num_samples"), (2000, 10**5, 10**7)),
    ("recordings", (*FEATURES, "sampling_rate"), (GIGABYTE,)),
    ("recordings", (*FEATURES, "window_ms"), (1e9,)),
    ("recordings", (*FEATURES, "shift_ms"), (1e-9, 0.01)),
    ("recordings", (*FEATURES, "num_mels"), (10**6,)),
    ("recordings", (*FEATURES, "stack"), (10**6,)),
    ("recordings", (*FEATURES, "speeds"), ([1.0] * 10**6,)),
    *(
        ("pictures", (*FEATURES, key), (GIGABYTE,))
        for key in ("image_height", "image_width", "channels")
    ),
)
"""Sound bundle, place, values."""
SEQUENCES: dict[str, Any] = {
    "a million": [[5]] * 10**6,
    "ids that are none": [[10**6]],
    "a long one": [[5] * 10**5],
    "texts that are none": ["\x1b[2J zzz"],
    "lists in lists": [[[[5]]]],
}
KEYS = (
    "format",
    "version",
    "model",
    "search",
    "scorer",
    "rule",
    "dataset",
    "metric",
    "source",
    "max_length",
    "shared_vocabulary",
    "sha256",
    "batching",
    "tandem",
    "model.frontend",
    "model.encoder",
    "model.decoder",
    "model.model",
    "source.reader",
    "source.options",
    "search._target_",
    "model.encoder._target_",
    "model.encoder._partial_",
)
EXTRA: tuple[Path_, ...] = (
    ("extra",),
    ("model", "extra"),
    ("model", "encoder", "extra"),
    ("model", "model", "extra"),
    ("model", "encoder", "_args_"),
    ("model", "encoder", "__class__"),
    ("search", "_recursive_"),
    ("source", "options", "extra"),
    ("sha256", "../../etc/passwd"),
    ("sha256", "\x1b[2J"),
)
FORMS: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda raw: b"",
    "half": lambda raw: raw[: len(raw) // 2],
    "a byte order mark": lambda raw: b"\xef\xbb\xbf" + raw,
    "UTF-16": lambda raw: raw.decode().encode("utf-16"),
    "no UTF-8": lambda raw: raw.replace(b"tandem-bundle", b"tandem-\xff\xfe"),
    "gzip": gzip.compress,
    "a pickle": lambda raw: pickle.dumps({"format": "tandem-bundle"}),
    "a list": lambda raw: b"[" + raw + b"]",
    "garbage behind": lambda raw: raw + b"x",
    "100 MB of spaces": lambda raw: raw + b" " * 10**8,
    "zero bytes": lambda raw: raw.replace(b" ", b"\0"),
}
NUMBERS = {
    "NaN": "NaN",
    "infinity": "-Infinity",
    "1e999": "1e999",
    "5,000 digits": "9" * 5000,
    "a lone surrogate": '"\\ud800"',
    "twice": '9, "max_length": 5',
}
"""What no writer of JSON writes."""
PLACES: tuple[Path_, ...] = (
    ("search", "_target_"),
    ("model", "encoder", "_target_"),
    ("model", "decoder", "attention", "_target_"),
    ("source", "reader"),
    ("metric", "exact_match", "_target_"),
)
TARGETS = (
    "os.system",
    "builtins.eval",
    "subprocess.Popen",
    "torch.load",
    "torch.hub.load",
    "pickle.loads",
    "hydra.utils.instantiate",
    "tandem.commands.train.train",
    "tandem.inference.bundle.load_bundle",
    "tandem.inference.bundle.shutil.rmtree",
    "tandem.core.files.write_atomically",
    "tandem.data.datasets.hub",
    "antigravity.geohash",
    "tandem.search.GreedySearch.__init__.__globals__",
    "tandem..search.GreedySearch",
    "tandem.search.\x1b[2J",
    "a" * 100_000,
)
"""What a config may not name; of a metric, evaluation alone would notice."""


def values(name: str, sound: Path) -> Iterator[Variant]:
    """Every value of a sound config, in turn, as something else."""
    for path in _places(read(sound)):
        for poison, value in POISON.items():
            place = f"{name}: {'.'.join(path)}: {poison}"
            yield Variant("values of the config", place, name, put(path, value))


def _places(node: dict[str, Any], path: Path_ = ()) -> Iterator[Path_]:
    """The places of all values, inner objects included."""
    for key, value in node.items():
        yield (*path, key)
        if isinstance(value, dict):
            yield from _places(value, (*path, key))


def sizes() -> Iterator[Variant]:
    """Numbers by which something would take more memory or time than there is."""
    for sound, path, numbers in SIZES:
        for number in numbers:
            name = f"{'.'.join(path)}: {str(number)[:20]}"
            yield Variant("sizes that eat memory", name, sound, put(path, number))


def structures() -> Iterator[Variant]:
    """What is no config, or lacks something."""

    def structure(name: str, damage: Damage, sound: str = "words") -> Variant:
        return Variant("structures", name, sound, damage)

    for depth in (50, 1000, 10**5, 10**6):
        for what, pair in {"lists": (b"[", b"]"), "objects": (b'{"a":', b"}")}.items():
            yield structure(f"{depth:,} {what} deep", change(_deep(depth, *pair), CONFIG))
    for key in KEYS:
        yield structure(f"without {key}", without(tuple(key.split("."))))
    for path in EXTRA:
        yield structure(f"with {path}", put(path, [1]))
    for name, alter in FORMS.items():
        yield structure(f"config: {name}", change(alter, CONFIG))
    for name, number in NUMBERS.items():
        for key, now in (("max_length", "9"), ("dropout", "0.1")):
            damage = change(_other(f'"{key}": {now}', f'"{key}": {number}'), CONFIG)
            yield structure(f"{key}: {name}", damage)
    required = {"_target_": "tandem.search.ConstrainedBeamSearch", "width": 4, "alpha": 1.0}
    for name, sequences in SEQUENCES.items():
        place = ("rule", "banned", "sequences")
        yield structure(f"banned: {name}", put(place, sequences), "pieces")
        search = {**required, "length_penalty": "none", "required": sequences}
        yield structure(f"required: {name}", put(("search",), search))


def _deep(depth: int, opened: bytes, closed: bytes) -> Callable[[bytes], bytes]:
    start = b'{"format": "tandem-bundle", "version": 2, "model": '
    return lambda raw: start + opened * depth + b"1" + closed * depth + b"}"


def _other(before: str, after: str) -> Callable[[bytes], bytes]:
    return lambda raw: raw.replace(before.encode(), after.encode())


def names() -> Iterator[Variant]:
    """Names of what is no part."""
    for path in PLACES:
        for target in TARGETS:
            name = f"{'.'.join(path)}: {target[:60]!r}"
            yield Variant("names of what is no part", name, "words", put(path, target))
