"""What all kinds of hostile bundles are made with."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tandem.inference.files import CONFIG

GIGABYTE = 10**9
Damage = Callable[[Path], None]
Path_ = tuple[str, ...]

POISON: dict[str, Any] = {
    "null": None,
    "true": True,
    "minus one": -1,
    "zero": 0,
    "a billion": GIGABYTE,
    "thirty digits": 10**30,
    "a half": 0.5,
    "1e300": 1e300,
    "a word": "x",
    "no text": "",
    "escapes": "\x1b]0;title\x07\x1b[2J",
    "an empty list": [],
    "a list": [1, "x", None],
    "an empty object": {},
    "an object": {"a": {"b": 1}},
    "an interpolation": "${oc.env:HOME}",
    "a command": {"_target_": "os.system", "command": "touch sentinel"},
}
"""What takes the place of any value."""


@dataclass(frozen=True)
class Variant:
    """One way to harm."""

    kind: str
    """The row of the table that it counts in."""
    name: str
    sound: str
    """Which sound bundle it begins with."""
    damage: Damage
    """Is done to a copy of that bundle."""


def read(folder: Path, name: str = CONFIG) -> Any:
    """The JSON in a file."""
    return json.loads((folder / name).read_text(encoding="utf-8"))


def write(folder: Path, content: Any, name: str = CONFIG) -> None:
    """Write JSON or bytes, with the digest that the config says of it."""
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    (folder / name).write_bytes(raw)
    if name != CONFIG:
        config = read(folder)
        config["sha256"][name] = hashlib.sha256(raw).hexdigest()
        write(folder, config)


def put(path: Path_, value: Any, name: str = CONFIG) -> Damage:
    """Another value at a place of a JSON file."""

    def damage(folder: Path) -> None:
        content = read(folder, name)
        node = content
        for key in path[:-1]:
            node = node[key]
        node[path[-1]] = value
        write(folder, content, name)

    return damage


def without(path: Path_, name: str = CONFIG) -> Damage:
    """A JSON file that lacks a key."""

    def damage(folder: Path) -> None:
        content = read(folder, name)
        node = content
        for key in path[:-1]:
            node = node[key]
        node.pop(path[-1], None)
        write(folder, content, name)

    return damage


def change(alter: Callable[[bytes], bytes], name: str, *, signed: bool = True) -> Damage:
    """Other bytes in a file.

    :param signed: whether the config has their digest.
    """

    def damage(folder: Path) -> None:
        raw = alter((folder / name).read_bytes())
        if signed:
            write(folder, raw, name)
        else:
            (folder / name).write_bytes(raw)

    return damage
