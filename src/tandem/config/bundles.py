"""What commands that read a trained model share: which one, on which device, with which search."""

import copy
from dataclasses import replace

import torch
from omegaconf import DictConfig, OmegaConf

from tandem.config.instantiate import make
from tandem.core.errors import InputError
from tandem.core.types import SPECIAL_IDS
from tandem.data.tokenizers.tokenizer import Tokenizer
from tandem.inference.bundle import Bundle
from tandem.inference.decoding import check_search
from tandem.inference.mbr import MinimumBayesRisk


def runs(cfg: DictConfig) -> list[str]:
    """The folders that ``cfg.run`` names, one or a list."""
    folders = cfg.run if OmegaConf.is_list(cfg.run) else [cfg.run]
    return [str(folder) for folder in folders]


def with_search(bundle: Bundle, cfg: DictConfig) -> Bundle:
    """The same bundle with the search and the ranking that the command line chose, if it did."""
    if cfg.get("search"):
        search = make(_with_ids(cfg, bundle.processors.target).search)
        for model in bundle.models:
            check_search(model, search)
        bundle = replace(bundle, search=search)
    if not cfg.mbr:
        return bundle
    if bundle.search.width == 1:
        raise InputError(
            "metric@mbr chooses among several outputs of each source, but the search finds one; "
            "add search=sampling search.num_samples=32, or leave metric@mbr out."
        )
    metric, *others = cfg.mbr.values()
    if others:
        raise InputError(f"metric@mbr takes one metric, but got {', '.join(cfg.mbr)}; choose one.")
    return replace(bundle, mbr=MinimumBayesRisk(make(metric)))


def _with_ids(cfg: DictConfig, target: Tokenizer) -> DictConfig:
    """The config with ids for the texts under the keys of ``search`` that take ids."""

    def ids(key: str, text: str) -> list[int]:
        (found,) = target.encode_batch([text])
        if not found or SPECIAL_IDS.unk in found:
            raise InputError(
                f"`search.{key}` holds {text!r}, which cannot be written with the target "
                "vocabulary; correct it."
            )
        return found

    cfg = copy.deepcopy(cfg)
    if isinstance(cfg.search.get("forced_prefix"), str):
        cfg.search.forced_prefix = ids("forced_prefix", cfg.search.forced_prefix)
    for key in ("banned", "required"):
        if OmegaConf.is_list(cfg.search.get(key)):
            cfg.search[key] = [
                ids(key, one) if isinstance(one, str) else one for one in cfg.search[key]
            ]
    return cfg


def device(accelerator: str) -> torch.device:
    """The device that Lightning would choose."""
    if accelerator == "auto":
        accelerator = "cuda" if torch.cuda.is_available() else "cpu"
    names = {"gpu": "cuda"}
    if accelerator not in ("cpu", "gpu", "cuda", "mps"):
        raise InputError(f"`accelerator` must be auto, cpu, gpu or mps, but is {accelerator!r}.")
    return torch.device(names.get(accelerator, accelerator))
