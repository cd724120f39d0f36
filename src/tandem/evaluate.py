"""Scores a bundle on a split of the dataset it was trained on."""

import copy
import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import rich
import torch
from omegaconf import DictConfig, OmegaConf
from rich.progress import track

from tandem import build, checks, console, launch
from tandem.bundle import Bundle
from tandem.core.errors import InputError
from tandem.core.files import write_atomically
from tandem.core.types import SPECIAL_IDS
from tandem.data.batching import Budget
from tandem.data.module import DataModule, LengthFilter
from tandem.data.stream import StreamOptions
from tandem.data.tokenizers.tokenizer import Tokenizer
from tandem.ensemble import load_bundles
from tandem.reports.summary import summary_table
from tandem.training.evaluation import ForcedTotals, check_search, encode
from tandem.training.mbr import MinimumBayesRisk
from tandem.trust import build_trusted

SPLITS = {"train": "train", "validation": "val", "test": "test"}
"""Splits, and how their metrics' names begin."""


def evaluate(cfg: DictConfig, command: str = "") -> dict[str, float]:
    """Score the bundle ``cfg.run`` on ``cfg.split``.

    :param cfg: a composed ``evaluate`` config.
    :param command: the command line that repeats this, for the record.
    :return: metrics by the names that training logs them under.
    :raises InputError: if the bundle, the split or the data is unusable.
    """
    console.set_up(None)
    checks.check_values(cfg)
    if cfg.split not in SPLITS:
        raise InputError(f"`split` must be one of {', '.join(SPLITS)}, but is {cfg.split!r}.")
    bundle = with_search(load_bundles(runs(cfg), average=cfg.average, trusted=cfg.trusted), cfg)
    bundle.to(device(cfg.accelerator))
    data = bundle_data(bundle, cfg)
    metrics, hypotheses = score(bundle, data, cfg)
    first, *_ = runs(cfg)
    folder = Path(first) / "evaluations" / f"{datetime.now():%Y-%m-%d_%H-%M-%S}-{cfg.split}"
    record = {"metrics": metrics, "split": cfg.split, "command": command}
    write_atomically(folder / "metrics.json", json.dumps(record, indent=2).encode())
    write_atomically(folder / "hypotheses.txt", "".join(f"{h}\n" for h in hypotheses).encode())
    paths = {"record": f"{folder}/metrics.json", "hypotheses": f"{folder}/hypotheses.txt"}
    rich.print(summary_table(f"{' + '.join(runs(cfg))}, {cfg.split} split", metrics, paths, {}))
    return metrics


def runs(cfg: DictConfig) -> list[str]:
    """The folders that ``cfg.run`` names, one or a list."""
    folders = cfg.run if OmegaConf.is_list(cfg.run) else [cfg.run]
    return [str(folder) for folder in folders]


def with_search(bundle: Bundle, cfg: DictConfig) -> Bundle:
    """The same bundle with the search and the ranking that the command line chose, if it did."""
    if cfg.get("search"):
        search = build.build_search(_with_ids(cfg, bundle.processors.target))
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
    return replace(bundle, mbr=MinimumBayesRisk(build.make(metric)))


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


def bundle_data(bundle: Bundle, cfg: DictConfig) -> DataModule:
    """The dataset that the bundle was trained on, with the bundle's tokenizers."""
    spec = dict(bundle.config["dataset"])
    if cfg.data_dir is not None:
        spec["data_dir"] = cfg.data_dir
    data = DataModule(
        load=lambda: build_trusted(spec, "dataset", tuple(cfg.trusted)),
        learn=lambda texts: bundle.processors,
        length_filter=LengthFilter(
            max_source_length=None,
            max_target_length=None,
            truncate_source=bundle.truncate_source,
        ),
        skip_bad=bundle.config["dataset"].get("on_bad_example") == "skip",
        budget=Budget(**bundle.config["batching"]),
        stream_options=StreamOptions(buffer_size=1, sample_size=1),
        overfit=None,
        variety=None,
        seed=0,
    )
    data.prepare()
    return data


@torch.inference_mode()
def score(bundle: Bundle, data: DataModule, cfg: DictConfig) -> tuple[dict[str, float], list[str]]:
    """Forced and searched scores of a split, and the hypotheses in its order.

    Of several models together only outputs are scored: a loss is of one model.
    """
    loader = data.evaluation_loader(cfg.split)
    totals = ForcedTotals(bundle.model)
    hypotheses = [""] * len(data.encoded(cfg.split))
    where = next(bundle.model.parameters()).device
    for batch in track(loader, f"{cfg.split} split", transient=True):
        on_device = batch.to(where)
        memories = [encode(model, on_device) for model in bundle.models]
        if not bundle.partners:
            totals.add(memories[0], on_device)
        found = bundle.search_memories(memories)
        for row, best in zip(batch.indices.tolist(), found, strict=True):
            hypotheses[row] = bundle.processors.target.decode(best[0].tokens)
    references = data.references(cfg.split, list(range(len(hypotheses))))
    prefix = SPLITS[cfg.split]
    metrics = {} if bundle.partners else totals.means(prefix)
    specs: dict[str, Any] = bundle.config["metric"]
    for spec in specs.values():
        metric = build_trusted(spec, "metric", tuple(cfg.trusted))
        scores = metric(hypotheses, references)
        metrics |= {f"{prefix}/{name}": value for name, value in scores.items()}
    return metrics, hypotheses


def main(arguments: list[str]) -> None:
    """The command ``tandem evaluate``."""
    launch.run("evaluate", arguments, evaluate)
