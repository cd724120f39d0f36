"""Networks of the package transformers: made of a config, or read from a folder."""

import importlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from tandem.core.errors import InputError, reason_of


def class_of(name: str) -> Any:
    """A class of transformers, by its name or by ``module.Class`` below its models."""
    module, _, kind = name.rpartition(".")
    path = f"transformers.models.{module}" if module else "transformers"
    return getattr(importlib.import_module(path), kind)


def network_of(name: str, config: Any, *, key: str, **options: Any) -> Any:
    """What a class of transformers makes of a config.

    :param name: see :func:`class_of`.
    :param key: where the config stands, for messages.
    :raises InputError: if it makes nothing of it.
    """
    try:
        return class_of(name)(config, **options)
    except InputError:
        raise
    except Exception as error:  # whatever a value makes of it
        raise InputError(
            f"`{key}` describes no network of {config.model_type} ({reason_of(error)[:200]}); get "
            "the checkpoint's config.json again."
        ) from error


def load_model(loader: str, folder: Path, *, key: str, **options: Any) -> tuple[Any, set[str]]:
    """What a class of transformers reads of a folder, and the names of weights that it lacks.

    :param key: what the user calls the folder by, for messages.
    :raises InputError: if its weights are not of the network that its config describes.
    """
    try:
        with quiet():
            model, report = class_of(loader).from_pretrained(
                str(folder),
                local_files_only=True,
                use_safetensors=True,
                trust_remote_code=False,
                output_loading_info=True,
                ignore_mismatched_sizes=True,
                dtype=torch.float32,
                **options,
            )
    except Exception as error:  # whatever the files make of it
        raise InputError(
            f"{key} cannot be read by transformers ({reason_of(error)[:200]}); get the checkpoint "
            "again."
        ) from error
    for name, stored, described in sorted(report["mismatched_keys"]):
        raise InputError(
            f"{key} has the weight {name} in the shape {tuple(stored)}, but its config.json "
            f"describes one of the shape {tuple(described)}; get the checkpoint again."
        )
    return model, set(report["missing_keys"])


def below(part: str, names: Collection[str]) -> set[str]:
    """Those of some names that stand below a part, without it."""
    prefix = f"{part}." if part else ""
    return {name.removeprefix(prefix) for name in names if name.startswith(prefix)}


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the bars and reports of transformers from the user, who gets sentences of ours."""
    from transformers.utils import logging

    level, shows_bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if shows_bars:
            logging.enable_progress_bar()
