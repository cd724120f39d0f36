"""What a bundle's config describes, read as data of somebody else's."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tandem.core.errors import InputError, reason_of
from tandem.core.plain_json import read_json
from tandem.data.preprocessing import Processors
from tandem.data.tokenizers.tokenizer import TARGET_TOKENIZER, Tokenizer
from tandem.inference.decoding import Decoding
from tandem.inference.files import AGAIN, CONFIG, BundleFiles
from tandem.inference.trust import SECTIONS, build_trusted, resolve
from tandem.inference.weights import WeightFile
from tandem.models import Seq2Seq, assemble
from tandem.search import Search
from tandem.search.rules import Rule
from tandem.search.scorers import Scorer

FORMAT = "tandem-bundle"
VERSION = 2
KEYS: dict[str, type] = {
    "model": dict,
    "search": dict,
    "scorer": dict,
    "rule": dict,
    "dataset": dict,
    "metric": dict,
    "source": dict,
    "max_length": int,
    "shared_vocabulary": bool,
    "sha256": dict,
}
"""What a config must hold."""
PARTS = ("frontend", "encoder", "decoder", "model")
"""What ``model`` must hold: three factories, and sizes."""
LONGEST_OUTPUT = 1_000_000
"""Most symbols of an output that a bundle may ask for."""
MOST_CHARACTERS = 2**30
"""Most characters of an output, if it consisted of the vocabulary's longest symbol."""
LARGEST_SIZE = 1_000_000
"""Of a network's numbers, if none of its weights has a larger side."""
MOST_HYPOTHESES = 1000
"""Most hypotheses a source that a bundle's own search may keep."""


@dataclass(frozen=True)
class BundleReader:
    """A bundle's folder, whose config is read and checked as far as it can be without its files."""

    files: BundleFiles
    config: dict[str, Any]
    trusted: tuple[str, ...]

    @classmethod
    def open(cls, path: str | Path, *, trusted: Iterable[str]) -> Self:
        """Read the config.

        :param path: the folder of a bundle, or of a run.
        :raises InputError: if it is missing or damaged.
        """
        folder = bundle_folder(Path(path))
        config = _read_config(folder)
        return cls(BundleFiles(folder, config["sha256"]), config, tuple(trusted))

    @property
    def folder(self) -> Path:
        """Where the bundle is."""
        return self.files.folder

    def processors(self) -> Processors:
        """What reads the source, and the target's tokenizer."""
        target = Tokenizer.from_json(self.files.read(TARGET_TOKENIZER))
        longest = self.config["max_length"] * max(map(len, target.symbols))
        if longest > MOST_CHARACTERS:
            raise InputError(
                f"The bundle {self.folder} could write outputs of {longest:,} characters, by its "
                "`max_length` and the longest symbol of its vocabulary; don't use it."
            )
        shared: bool = self.config["shared_vocabulary"]
        spec = self.config["source"]
        reader = resolve(spec.get("reader"), "reader", self.trusted)
        try:
            source = reader.from_bundle(
                spec["options"],
                open_file=self.files.path,
                build=self._features,
                shared=target if shared else None,
            )
        except (TypeError, KeyError, AttributeError) as error:
            raise self._unusable("source") from error
        return Processors(source, target, shared=shared)

    def _features(self, spec: Any) -> Any:
        features = build_trusted(spec, "features", self.trusted)
        if not isinstance(features, SECTIONS["features"]):
            raise self._unusable("source")
        return features

    def network(self, processors: Processors, weights: WeightFile) -> Seq2Seq:
        """The network that the weights are of, not yet filled with them.

        :raises InputError: if the config describes none, or one that is larger or another.
        """
        largest = max(
            (side for stored in weights.header.values() for side in stored.shape), default=0
        )
        if _largest_number(self.config["model"]) > max(LARGEST_SIZE, largest):
            raise weights.unfit("it has numbers that no weight is as large as")
        try:
            with weights.bounds():
                model = self._assembled(processors)
        except InputError:
            raise
        except Exception as error:  # whatever a value that no training has makes of it
            raise self._no_model(error) from error
        weights.check(model)
        return model

    def _assembled(self, processors: Processors) -> Seq2Seq:
        specs = self.config["model"]
        parts = {key: build_trusted(specs[key], "model", self.trusted) for key in PARTS}
        sizes = parts.pop("model")
        return assemble(
            **parts,
            **sizes,
            source_size=processors.source.size,
            target_size=processors.target.vocabulary_size,
            shared_vocabulary=self.config["shared_vocabulary"],
        )

    def _no_model(self, error: Exception) -> InputError:
        reason = reason_of(error)[:200]
        return InputError(
            f"The bundle's config does not describe a model ({reason}); use the version of Tandem "
            f"that wrote it ({self.config.get('tandem')})."
        )

    def decoding(self) -> Decoding:
        """The search, scorers and rules that the config describes; their texts are not bound."""
        search = build_trusted(self.config["search"], "search", self.trusted)
        scorers, rules = (
            tuple(build_trusted(self.config[key], key, self.trusted).values())
            for key in ("scorer", "rule")
        )
        for key, family, parts in (
            ("search", Search, (search,)),
            ("scorer", Scorer, scorers),
            ("rule", Rule, rules),
        ):
            if not all(isinstance(part, family) for part in parts):
                raise self._unusable(key)
        if search.width > MOST_HYPOTHESES:
            raise InputError(
                f"The bundle {self.folder} asks for {search.width:,} hypotheses of each source, "
                f"but at most {MOST_HYPOTHESES:,} are kept; don't use it."
            )
        return Decoding(search, scorers, rules)

    def _unusable(self, key: str) -> InputError:
        return _unusable(self.folder, key)


def bundle_folder(path: Path) -> Path:
    """The folder of a bundle, given that or its run's.

    :raises InputError: if there is none.
    """
    for folder in (path, path / "bundle"):
        if (folder / CONFIG).is_file():
            return folder
    raise InputError(
        f"There is no bundle in {path}: neither {CONFIG} nor bundle/{CONFIG} exists there; give "
        "the folder of a finished run or of a bundle."
    )


def run_folder(path: Path) -> Path:
    """The folder of the run whose bundle is found at a path, or a bundle's own that is of no run.

    :raises InputError: if there is none.
    """
    folder = bundle_folder(path).resolve()
    return folder.parent if folder.name == "bundle" else folder


def _read_config(folder: Path) -> dict[str, Any]:
    content = BundleFiles(folder).read(CONFIG)
    try:
        config = read_json(content)
    except ValueError as error:
        raise InputError(
            f"The file {folder / CONFIG} is damaged ({reason_of(error)}); {AGAIN}"
        ) from error
    if not isinstance(config, dict) or config.get("format") != FORMAT:
        raise InputError(f"The file {folder / CONFIG} is not a bundle's; give another folder.")
    if config.get("version") != VERSION:
        raise InputError(
            f"The bundle {folder} has version {config.get('version')!r}, but this Tandem reads "
            f"version {VERSION}; use the Tandem that wrote it ({config.get('tandem')})."
        )
    for key, kind in KEYS.items():
        if type(config.get(key)) is not kind:
            raise _unusable(folder, key)
    if not 1 <= config["max_length"] <= LONGEST_OUTPUT:
        raise InputError(
            f"The bundle {folder} has `max_length` {config['max_length']}, but it must be from 1 "
            f"to {LONGEST_OUTPUT:,}; {AGAIN}"
        )
    if config["model"].keys() != {*PARTS} or type(config["model"]["model"]) is not dict:
        raise _unusable(folder, "model")
    return config


def _largest_number(spec: Any) -> float:
    """Of all numbers in plain data."""
    if isinstance(spec, dict | list):
        inner = spec.values() if isinstance(spec, dict) else spec
        return max(map(_largest_number, inner), default=0.0)
    return spec if isinstance(spec, int | float) else 0.0


def _unusable(folder: Path, key: str) -> InputError:
    return InputError(f"The file {folder / CONFIG} lacks a usable `{key}`; {AGAIN}")
