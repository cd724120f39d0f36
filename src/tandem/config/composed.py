"""A composed config as a value: to look at, and to train with."""

import copy
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import yaml
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from tandem.config.instantiate import check_values
from tandem.config.launch import compose_with_hydra, without_hydra
from tandem.config.overrides import has_several_values
from tandem.core.command_line import override
from tandem.core.errors import InputError, nearest


class Config(Mapping[str, Any]):
    """A composed config, or a part of one: ``config.encoder.hidden_size``.

    Every value is resolved. Printed, it is YAML. It cannot be changed, since the overrides alone
    say what is trained: compose another one.
    """

    def __init__(
        self,
        values: dict[str, Any],
        *,
        key: str = "",
        overrides: tuple[str, ...] = (),
        composed: DictConfig | None = None,
    ) -> None:
        """Make it of plain data.

        :param key: under which the values stand; empty for a whole config.
        :param overrides: that it was composed from.
        :param composed: what Hydra composed, its own keys included; None for a part.
        """
        for name, value in {
            "_values": values,
            "_key": key,
            "overrides": overrides,
            "_composed": composed,
        }.items():
            object.__setattr__(self, name, value)

    overrides: tuple[str, ...]
    _values: dict[str, Any]
    _key: str
    _composed: DictConfig | None

    def __getitem__(self, name: str) -> Any:
        value = self._values[name]
        if isinstance(value, dict):
            return Config(value, key=self._full(name))
        return copy.deepcopy(value)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name not in self._values:
            raise AttributeError(
                f"The config has no key {self._full(name)}{nearest(name, self._values)}"
            )
        return self[name]

    def __setattr__(self, name: str, value: object) -> None:
        raise InputError(
            "A composed config cannot be changed; compose another one with "
            f"{override(self._full(name), value)!r} among its overrides."
        )

    __setitem__ = __setattr__

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._values]

    def __repr__(self) -> str:
        return yaml.safe_dump(self._values, sort_keys=False, allow_unicode=True).rstrip()

    def _full(self, name: str) -> str:
        return f"{self._key}.{name}" if self._key else name

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """The same in a notebook, which would show a mapping in one line."""
        printer.text(repr(self))


def compose_training(words: tuple[str, ...]) -> Config:
    """See :func:`tandem.compose`.

    :param words: as :func:`checked_words` returns them.
    """
    with _hydra_as_before():
        composed = compose_with_hydra("train", list(words))
        with _job(composed) as cfg:
            check_values(cfg)
            values: Any = OmegaConf.to_container(cfg, resolve=True)
            OmegaConf.copy_cache(cfg, composed)  # in which the time of the run's name stands
    return Config(values, overrides=words, composed=composed)


@contextmanager
def training_job(config: Config) -> Iterator[DictConfig]:
    """What ``tandem train`` gets of this config, while Hydra holds it for the current job.

    :raises InputError: for a part of a config.
    """
    if config._composed is None:
        raise InputError(
            f"This is the part {config._key} of a config, which is not enough to train; give all "
            "that tandem.compose returned."
        )
    with _hydra_as_before(), _job(config._composed) as cfg:
        yield cfg


def named_packages(cfg: DictConfig) -> tuple[str, ...]:
    """The packages beside Tandem whose classes a config names at any depth."""
    return tuple(sorted(set(_packages(OmegaConf.to_container(cfg))) - {"tandem"}))


def _packages(config: Any) -> Iterator[str]:
    if isinstance(config, Mapping):
        if isinstance(config.get("_target_"), str):
            yield config["_target_"].partition(".")[0]
        for value in config.values():
            yield from _packages(value)


def checked_words(overrides: Iterable[str]) -> tuple[str, ...]:
    """The overrides, of which each sets one value.

    :raises InputError: for the first one that is something else.
    """
    words = () if isinstance(overrides, str | Mapping) else tuple(overrides)
    if isinstance(overrides, str | Mapping) or not all(isinstance(word, str) for word in words):
        raise InputError(
            f"The overrides must be a list of texts, but are {overrides!r}; give a text for each "
            "override, such as dataset=scan."
        )
    for word in words:
        if word.startswith("-"):
            raise InputError(
                f"{word} is a flag of the command line; give overrides alone, KEY=VALUE."
            )
        if has_several_values(word):
            key, _, text = word.partition("=")
            raise InputError(
                f"{word} has several values, but a training has one; train in a loop over them, or "
                f"write {override(key, text)!r} if it is one text."
            )
    return words


@contextmanager
def _hydra_as_before() -> Iterator[None]:
    """Leave what Hydra knows of its current job as it was; a program may use Hydra itself."""
    hydra, config = GlobalHydra.instance().hydra, HydraConfig.instance().cfg
    try:
        yield
    finally:
        GlobalHydra.instance().hydra = hydra
        HydraConfig.instance().cfg = config


@contextmanager
def _job(composed: DictConfig) -> Iterator[DictConfig]:
    """A copy of a composed config without Hydra's keys, which Hydra holds meanwhile."""
    HydraConfig.instance().set_config(composed)
    yield without_hydra(copy.deepcopy(composed))
