"""Checks of what reads one file as vectors."""

import copy
import tempfile
from pathlib import Path

import numpy as np

from tandem.core.errors import InputError
from tandem.data.features.base import Features, File, Vectors
from tandem.testing.compare import expect


def check_features(features: Features, path: str | Path) -> None:
    """Check that a file becomes the same vectors each time, and that no bad one becomes any.

    :param path: a file that it reads.
    :raises AssertionError: with the first promise that it breaks.
    """
    name, path = type(features).__name__, Path(path)
    expect(
        isinstance(getattr(features, "media", None), str) and features.copies >= 1,
        f"{name} must say its media, the same name as its frontend's, and have at least one copy.",
    )
    by_path = File(path=str(path), bytes=None)
    vectors = _read(features, by_path)
    again = _read(copy.deepcopy(features), by_path)
    expect(
        np.array_equal(vectors, again),
        f"{name} must read the same file as the same vectors each time, but it does not.",
    )
    by_bytes = _read(features, File(path=None, bytes=path.read_bytes()))
    expect(
        np.array_equal(vectors, by_bytes),
        f"{name} must read a file's bytes like its path, as a dataset may have one of the two, but "
        "it does not.",
    )
    for version in range(features.copies):
        _read(features, by_path, version)
    expect(
        repr(sorted(vars(features).items())) == repr(sorted(vars(copy.deepcopy(features)).items())),
        f"The attributes of {name} must be shown by their values, as the cache is found by them, "
        "but some are shown by an address; keep numbers and texts.",
    )
    with tempfile.TemporaryDirectory() as folder:
        for kind, content in (("missing", None), ("empty", b""), ("damaged", b"\x00\xff" * 99)):
            bad = Path(folder) / f"{kind}{path.suffix}"
            if content is not None:
                bad.write_bytes(content)
            _expect_refusal(features, bad, kind)


def _read(features: Features, file: File, version: int = 0) -> Vectors:
    """The vectors of a file, which have the right shape."""
    vectors = features(file, "the file", version)
    expect(
        vectors.ndim == 2 and len(vectors) >= 1 and vectors.shape[1] == features.width,
        f"{type(features).__name__} must make (L, width) vectors of a file, L >= 1 and width = "
        f"{features.width}, but made {vectors.shape}.",
    )
    expect(
        bool(np.isfinite(vectors).all()),
        f"{type(features).__name__} must make finite numbers of a file, but some are not.",
    )
    return vectors


def _expect_refusal(features: Features, bad: Path, kind: str) -> None:
    promise = (
        f"{type(features).__name__} must refuse a file that is {kind} with an InputError that names"
    )
    try:
        features(File(path=str(bad), bytes=None), "EXAMPLE 7")
    except InputError as error:
        expect("EXAMPLE 7" in str(error), f"{promise} `place`, but the error is: {error}")
    except Exception as error:
        raise AssertionError(f"{promise} `place`, but raised {error!r}.") from error
    else:
        raise AssertionError(f"{promise} `place`, but made vectors of it.")
