"""Says how probable given outputs are: the model as a judge instead of a writer."""

import json
import sys
from pathlib import Path

from omegaconf import DictConfig

from tandem.commands import console
from tandem.commands.files import check_new, read_lines, read_sources, write_new
from tandem.config import launch
from tandem.config.bundles import device, runs
from tandem.config.instantiate import check_values
from tandem.core.errors import InputError
from tandem.inference import ScoredPair, load_bundle

FORMATS = ("tsv", "json")


def score(cfg: DictConfig, command: str = "") -> None:
    """Write a line about each pair of lines in ``cfg.source`` and ``cfg.target``.

    :param cfg: a composed ``score`` config.
    :param command: unused; every command gets the line that repeats it.
    :raises InputError: if the bundle or a file is unusable, or the output file exists.
    """
    console.set_up(None)
    check_values(cfg)
    if cfg.format not in FORMATS:
        raise InputError(f"`format` must be one of {', '.join(FORMATS)}, but is {cfg.format!r}.")
    if cfg.output != "-":
        check_new(Path(cfg.output))
    if len(runs(cfg)) != 1:
        raise InputError(f"`run` must be one folder here, but is {cfg.run}; score with each alone.")
    bundle = load_bundle(runs(cfg)[0], trusted=cfg.trusted)
    bundle.model.to(device(cfg.accelerator))
    reader = bundle.processors.source
    sources = read_sources(cfg.source, reader, key="source")
    targets = read_lines(cfg.target, key="target")
    if len(sources) != len(targets):
        raise InputError(
            f"source={cfg.source} has {len(sources)} lines and target={cfg.target} {len(targets)}, "
            "but line n of one belongs to line n of the other; make them equally long."
        )
    reader.check_lines(sources, most=cfg.max_source_length)
    pairs = bundle.score(sources, targets, alignment=cfg.alignment, max_tokens=cfg.max_tokens)
    as_line = _as_json if cfg.format == "json" else _as_columns
    text = "".join(f"{as_line(pair, tokens=cfg.tokens)}\n" for pair in pairs)
    if cfg.output == "-":
        sys.stdout.write(text)
    else:
        write_new(Path(cfg.output), text)


def _as_columns(pair: ScoredPair, *, tokens: bool) -> str:
    """Log-probability, number of symbols; then log-probabilities of symbols; then alignment."""
    columns = [f"{pair.log_prob:.6f}", str(len(pair.tokens))]
    if tokens:
        columns.append(" ".join(f"{log_prob:.6f}" for log_prob in pair.log_probs))
    if pair.alignment is not None:
        columns.append(pair.pharaoh)
    return "\t".join(columns)


def _as_json(pair: ScoredPair, *, tokens: bool) -> str:
    """The same under names, with what the symbols read."""
    record: dict[str, object] = {"log_prob": pair.log_prob, "symbols": len(pair.tokens)}
    if tokens:
        record |= {"tokens": pair.tokens, "log_probs": pair.log_probs}
    if pair.alignment is not None:
        record["alignment"] = pair.pharaoh
    return json.dumps(record, ensure_ascii=False)


def main(arguments: list[str]) -> None:
    """The command ``tandem score``."""
    launch.run("score", arguments, score)
