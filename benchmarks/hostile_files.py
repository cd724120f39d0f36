"""Files of hostile bundles that are something else."""

import gzip
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

from hostile import GIGABYTE, Damage, Variant, change

from tandem.inference.files import CONFIG

FILES = (CONFIG, "model.safetensors", "target_tokenizer.json", "source_tokenizer.json")
LINKS = (
    "nothing",
    "/dev/zero",
    "/dev/urandom",
    "/dev/stdin",
    "/etc/passwd",
    "/proc/self/mem",
    "/proc/self/fd/0",
)


def _link_to_itself(path: Path) -> None:
    path.symlink_to(path.name)


def _link_outside(path: Path) -> None:
    outside = path.parent.parent / "outside"
    outside.write_bytes(b"{}")
    path.symlink_to(outside)


def _sparse(size: int) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        with path.open("wb") as file:
            file.truncate(size)

    return make


def _socket(path: Path) -> None:
    before = Path.cwd()
    os.chdir(path.parent)  # as names of sockets are short
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path.name)
    os.chdir(before)


MAKE: dict[str, Callable[[Path], None]] = {
    "missing": lambda path: None,
    "empty": lambda path: path.touch(),
    "a folder": lambda path: path.mkdir(),
    "a named pipe": os.mkfifo,
    "a socket": _socket,
    "300 sparse GB": _sparse(300 * GIGABYTE),
    "70 sparse MB": _sparse(70_000_000),
    "a link to itself": _link_to_itself,
    "a link outside": _link_outside,
}
ALTER: dict[str, Callable[[bytes], bytes]] = {
    "one byte flipped": lambda raw: raw[:-5] + bytes([raw[-5] ^ 1]) + raw[-4:],
    "truncated": lambda raw: raw[:-9],
    "extended": lambda raw: raw + b"x" * 9,
    "gzip": gzip.compress,
}


def _instead(name: str, make: Callable[[Path], None]) -> Damage:
    def damage(folder: Path) -> None:
        (folder / name).unlink()
        make(folder / name)

    return damage


def _linked(name: str, target: str) -> Damage:
    return _instead(name, lambda path: path.symlink_to(target))


def variants() -> Iterator[Variant]:
    """Each file, in turn, as something else."""
    for name in FILES:
        damages = {what: _instead(name, make) for what, make in MAKE.items()}
        damages |= {f"a link to {target}": _linked(name, target) for target in LINKS}
        damages |= {what: change(alter, name, signed=False) for what, alter in ALTER.items()}
        for what, damage in damages.items():
            kind = "files that are something else"
            yield Variant(kind, f"{name}: {what}", "words", damage)
