"""Networks of the package transformers: made of a config, or read from a folder."""

import importlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from tandem.core.errors import InputError, reason_of


def class_of(name: str) -> Any:
    """A class of transformers, by its name or by ``module.Class`` below its models."""
    module, _, kind = name.rpartition(".")
    path = f"transformers.models.{module}" if module else "transformers"
    return getattr(importlib.import_module(path), kind)


def network_of(name: str, config: Any, *, key: str, **options: Any) -> nn.Module:
    """What a class of transformers makes of a config.

    :param name: see :func:`class_of`.
    :param key: where the config stands, for messages.
    :raises InputError: if it makes nothing of it.
    """
    try:
        network: nn.Module = class_of(name)(config, **options)
    except InputError:
        raise
    except Exception as error:  # whatever a value makes of it
        raise InputError(
            f"`{key}` describes no network of {config.model_type} ({reason_of(error)[:200]}); get "
            "the checkpoint's config.json again."
        ) from error
    return network


def load_model(loader: str, folder: str, **options: Any) -> tuple[Any, set[str]]:
    """What a class of transformers reads of a folder, and the names of weights that it lacks."""
    with quiet():
        model, report = class_of(loader).from_pretrained(
            folder,
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
            dtype=torch.float32,
            **options,
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
