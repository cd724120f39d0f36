"""Hydra's part: objects and plain data from a composed config, light enough for every command."""

from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from tandem.config.ranges import check_ranges, expanded_paths, meant_values
from tandem.core.command_line import as_literal
from tandem.core.errors import InputError


def make(config: Any, **arguments: Any) -> Any:
    """Hydra's instantiate, with plain data; a mistake of the user's comes out as it was raised."""
    if OmegaConf.is_config(config):
        config = OmegaConf.to_container(config, resolve=True)
    literal = as_literal(as_literal(config))  # as Hydra resolves what it gets twice
    try:
        return instantiate(literal, _convert_="all", **arguments)
    except InstantiationException as error:
        if isinstance(error.__cause__, InputError):
            raise error.__cause__ from error
        raise


def make_each(configs: DictConfig | None) -> tuple[Any, ...]:
    """The parts of a group that takes a list; none if nothing of it is chosen."""
    return tuple(make(config) for config in (configs or {}).values())


def plain(cfg: DictConfig) -> dict[str, Any]:
    """The config with every interpolation resolved, as plain Python data."""
    resolved = OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)
    assert isinstance(resolved, dict)
    return {str(key): value for key, value in resolved.items()}


def check_values(cfg: DictConfig) -> None:
    """Refuse a config in which a value is missing, points nowhere or is out of its range.

    In ``cfg``, values are converted that are written in another way than they are meant: 1e2 for
    100, 20240101 for a name, one name for a list of it, the user's own folder for ``~``.
    """
    for key, value in meant_values(_plain(OmegaConf.to_container(cfg))):
        OmegaConf.update(cfg, key, value)
    try:
        missing = sorted(OmegaConf.missing_keys(cfg))
        for key, value in expanded_paths(_plain(OmegaConf.to_container(cfg, resolve=True))):
            OmegaConf.update(cfg, key, as_literal(value))  # as of a variable of the environment
        resolved = OmegaConf.to_container(cfg, resolve=True)
    except OmegaConfBaseException as error:
        if "features." in str(error) and cfg.get("features", True) is None:
            raise InputError(
                "This frontend or encoder reads pictures or recordings, but `features` is not set; "
                "add features=pixels (pictures) or features=log_mel (recordings), or choose those "
                "for texts, such as frontend=text and encoder=gru."
            ) from error
        reason, *_ = str(error).splitlines()
        raise InputError(
            f"The value of {error.full_key or 'a key'} cannot be resolved: {reason}; correct it on "
            "the command line."
        ) from error
    if missing:
        raise InputError(
            f"The config needs a value for {', '.join(missing)}; add {missing[0]}=... to the "
            "command line."
        )
    for config in (OmegaConf.to_container(cfg), resolved):  # a fault is named where it is written
        check_ranges(_plain(config))


def _plain(config: Any) -> dict[str, Any]:
    return {str(key): value for key, value in config.items()}
