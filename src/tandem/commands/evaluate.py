"""Scores a bundle on a split of the dataset it was trained on."""

import json
import logging
import os
from datetime import datetime
from pathlib import Path
from typing import Any

import torch
from omegaconf import DictConfig
from rich.progress import track

from tandem.commands import console
from tandem.config.bundles import place, runs, with_decoding
from tandem.config.instantiate import check_values
from tandem.core import printing
from tandem.core.errors import InputError
from tandem.core.files import make_new_folder, write_text
from tandem.core.lines import one_line
from tandem.data.module import DataModule, LengthFilter
from tandem.data.run_data import warn_of_change
from tandem.data.stream import StreamOptions
from tandem.inference.bundle import Bundle
from tandem.inference.ceilings import as_record, ceilings, warning
from tandem.inference.decoding import encode
from tandem.inference.ensemble import load_bundles
from tandem.inference.teacher_forcing import TeacherForcedTotals
from tandem.inference.trust import build_trusted
from tandem.metrics.base import Metric
from tandem.reports.summary import ceiling_facts, print_summary

logger = logging.getLogger(__name__)

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
    check_values(cfg)
    if cfg.split not in SPLITS:
        raise InputError(f"`split` must be one of {', '.join(SPLITS)}, but is {cfg.split!r}.")
    first, *_ = runs(cfg)
    results = results_folder(Path(first))
    bundle = with_decoding(load_bundles(runs(cfg), average=cfg.average, trusted=cfg.trusted), cfg)
    if not (cfg.trust_dataset or bundle.is_own):
        raise InputError(
            f"You did not train {first} on this machine, and the dataset that it names, "
            f"{bundle.config['dataset'].get('_target_')}, may read files and use the network; look "
            "at `dataset` in the bundle's config.json, and add trust_dataset=true."
        )
    place(bundle, cfg.accelerator)
    scorers = bundle_metrics(bundle, cfg)
    data = bundle_data(bundle, cfg)
    metrics, hypotheses = score(bundle, data, cfg, scorers)
    warn_of_change(Path(first), data, cfg.split)
    references = {cfg.split: written_record(data, cfg.split, scorers)}
    name = f"{datetime.now():%Y-%m-%d_%H-%M-%S}-{cfg.split}"
    folder = make_new_folder(results / name)
    record = {
        "metrics": metrics,
        "split": cfg.split,
        "command": command,
        "signatures": {
            f"{SPLITS[cfg.split]}/{name}": metric.signature
            for metric in scorers
            for name in metric.directions
        },
        "references": references,
    }
    write_text(folder / "metrics.json", json.dumps(record, indent=2))
    write_text(folder / "hypotheses.txt", "".join(f"{one_line(text)}\n" for text in hypotheses))
    paths = {"record": f"{folder}/metrics.json", "hypotheses": f"{folder}/hypotheses.txt"}
    title = f"{' + '.join(runs(cfg))}, {cfg.split} split"
    print_summary(printing.console(), title, metrics, paths, ceiling_facts(references))
    return metrics


def results_folder(run: Path) -> Path:
    """Where the results of a run's evaluations go; never through a link, which may lead anywhere.

    :raises InputError: if nothing can be written there.
    """
    folder = run / "evaluations"
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise InputError(f"{folder} must be a folder of the run's own; remove it.")
    if run.is_dir() and not os.access(folder if folder.exists() else run, os.W_OK):
        raise InputError(
            f"The results cannot be written to {folder}; allow it, or evaluate a copy of the run."
        )
    return folder


def bundle_data(bundle: Bundle, cfg: DictConfig) -> DataModule:
    """The dataset that the bundle was trained on, with the bundle's tokenizers."""
    spec = dict(bundle.config["dataset"])
    if cfg.data_dir is not None:
        if "data_dir" not in spec:
            raise InputError(
                f"data_dir={cfg.data_dir} names a folder, but the dataset of this run, "
                f"{spec['_target_']}, reads none; leave data_dir out."
            )
        spec["data_dir"] = cfg.data_dir
    data = DataModule(
        load=lambda: build_trusted(spec, "dataset", tuple(cfg.trusted)),
        learn=lambda texts: bundle.processors,
        length_filter=LengthFilter(max_source_length=None, max_target_length=None),
        skip_bad=bundle.config["dataset"].get("on_bad_example") == "skip",
        budget=bundle.budget,
        stream_options=StreamOptions(buffer_size=1, sample_size=1),
        overfit=None,
        augmentation=None,
        seed=0,
    )
    data.open()
    return data


def bundle_metrics(bundle: Bundle, cfg: DictConfig) -> list[Metric]:
    """The metrics that the bundle was trained with."""
    specs: dict[str, Any] = bundle.config["metric"]
    metrics = [build_trusted(spec, "metric", tuple(cfg.trusted)) for spec in specs.values()]
    if not all(isinstance(metric, Metric) for metric in metrics):
        raise InputError("The bundle's config lacks a usable `metric`, so it is not evaluated.")
    return metrics


def written_record(data: DataModule, split: str, scorers: list[Metric]) -> dict[str, Any]:
    """What the target tokenizer cannot write of a split that was scored, which is also logged."""
    written = data.written[split]
    references = data.references(split, list(range(written.rows)))
    limits = ceilings(scorers, references, written, prefix=SPLITS[split])
    sentences = warning({split: written}, limits)
    if sentences is not None:
        logger.warning("%s", sentences)
    return as_record(written, limits)


@torch.inference_mode()
def score(
    bundle: Bundle, data: DataModule, cfg: DictConfig, scorers: list[Metric]
) -> tuple[dict[str, float], list[str]]:
    """Teacher-forced and searched scores of a split, and the hypotheses in its order.

    Of several models together only outputs are scored, as a loss is of one model, and so they are
    of a model that searches by itself, as it gives none.
    """
    loader = data.evaluation_loader(cfg.split)
    totals = TeacherForcedTotals(bundle.model)
    has_loss = not (bundle.partners or bundle.model.searches_itself)
    hypotheses = [""] * len(data.encoded(cfg.split))
    where = bundle.model.device
    for batch in track(loader, f"{cfg.split} split", transient=True):
        on_device = batch.to(where)
        memories = [encode(model, on_device) for model in bundle.models]
        if has_loss:
            totals.add(memories[0], on_device)
        found = bundle.search_memories(memories)
        for row, best in zip(batch.indices.tolist(), found, strict=True):
            hypotheses[row] = bundle.processors.target.decode(best[0].tokens)
    references = data.references(cfg.split, list(range(len(hypotheses))))
    prefix = SPLITS[cfg.split]
    metrics = totals.means(prefix) if has_loss else {}
    for metric in scorers:
        scores = metric(hypotheses, references)
        metrics |= {f"{prefix}/{name}": value for name, value in scores.items()}
    return metrics, hypotheses
