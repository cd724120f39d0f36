"""What commands that read a trained model share: which one, on which device, how it decodes."""

from dataclasses import replace
from typing import Any

import torch
from omegaconf import DictConfig, OmegaConf

from tandem.config.instantiate import make, make_each, plain
from tandem.core.devices import check_accelerator
from tandem.core.errors import InputError
from tandem.inference.asked_models import with_asked_models
from tandem.inference.bundle import Bundle, bundle_digest
from tandem.inference.mbr import MinimumBayesRisk
from tandem.inference.ranking import Ranker
from tandem.inference.rescoring import read_language_model_ranker
from tandem.models import Seq2Seq


def runs(cfg: DictConfig) -> list[str]:
    """The folders that ``cfg.run`` names, one or a list."""
    folders = cfg.run if OmegaConf.is_list(cfg.run) else [cfg.run]
    return [str(folder) for folder in folders]


def made_by(cfg: DictConfig, *inputs: str) -> dict[str, Any]:
    """All that the output of a command depends on, its inputs aside, as plain data.

    :param inputs: the keys that name them.
    """
    aside = {"run", "output", *inputs}
    options = {key: value for key, value in plain(cfg).items() if key not in aside}
    return options | {"run": [bundle_digest(folder) for folder in runs(cfg)]}


def with_decoding(bundle: Bundle, cfg: DictConfig) -> Bundle:
    """The same bundle with what the command line chose of search, scorers, rules and ranking."""
    decoding = bundle.decoding
    if cfg.search is not None:
        decoding = replace(decoding, search=make(cfg.search))
    if cfg.rule is not None:
        decoding = replace(decoding, rules=make_each(cfg.rule))
    bundle = with_scorers(replace(bundle, decoding=decoding.bind(bundle.processors.target)), cfg)
    return replace(bundle, ranker=_ranker(cfg, bundle.decoding.width))


def with_scorers(bundle: Bundle, cfg: DictConfig) -> Bundle:
    """The same bundle with the scorers that the command line chose, which fit its models."""
    decoding = bundle.decoding
    if cfg.scorer is not None:
        scorers = make_each(cfg.scorer)
        decoding = with_asked_models(replace(decoding, scorers=scorers), trusted=cfg.trusted)
    for model in bundle.models:
        decoding.check(model)
    return replace(bundle, decoding=decoding.bind(bundle.processors.target))


def _ranker(cfg: DictConfig, width: int) -> Ranker | None:
    """What ranks so many outputs of each source; None: search."""
    if not cfg.mbr and cfg.rescoring.path is None:
        return None
    if cfg.mbr and cfg.rescoring.path is not None:
        raise InputError(
            "metric@mbr and rescoring both rank the outputs that search finds; leave one of them "
            "out."
        )
    key, several = ("rescoring", "search=beam")
    if cfg.mbr:
        key, several = ("metric@mbr", "search=sampling search.num_samples=32")
    if width == 1:
        raise InputError(
            f"{key} chooses among several outputs of each source, but the search finds one; add "
            f"{several}, or leave {key} out."
        )
    if not cfg.mbr:
        return read_language_model_ranker(**cfg.rescoring, trusted=cfg.trusted)
    metric, *others = cfg.mbr.values()
    if others:
        raise InputError(f"metric@mbr takes one metric, but got {', '.join(cfg.mbr)}; choose one.")
    return MinimumBayesRisk(make(metric))


def place(bundle: Bundle, accelerator: str) -> None:
    """Move a bundle's models to an accelerator.

    :param accelerator: auto, cpu, gpu, cuda or mps.
    :raises InputError: if this machine does not have it, or one of the models cannot go there.
    """
    if any(isinstance(model, Seq2Seq) for model in bundle.models):
        check_accelerator(accelerator, "accelerator")
    common = set.intersection(*({*model.device_types} for model in bundle.models))
    if accelerator == "auto":  # an ensemble of torch's models and exported ones meets on the host
        same = len({type(model) for model in bundle.models}) == 1
        name = "cuda" if same and "cuda" in common else "cpu"
    elif accelerator == "gpu":
        name = "mps" if "mps" in common else "cuda"
    else:
        name = accelerator
    bundle.to(torch.device(name))
    if len({model.device.type for model in bundle.models}) > 1:
        raise InputError(
            f"accelerator={accelerator} is not possible for an ensemble of a run and an export; "
            "choose accelerator=cpu."
        )
