"""Says how probable given outputs are: the model as a judge instead of a writer."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import torch
from omegaconf import DictConfig
from torch import Tensor

from tandem.commands import console
from tandem.commands.files import check_new, read_lines, read_sources, write_new
from tandem.config import launch
from tandem.config.bundles import device, runs
from tandem.config.instantiate import check_values
from tandem.core.errors import InputError
from tandem.core.memory import Memory
from tandem.core.types import SPECIAL_IDS
from tandem.data.readers import SourceReader
from tandem.inference.bundle import Bundle, load_bundle
from tandem.inference.forced_decoding import forced_decoding
from tandem.inference.teacher_forcing import teacher_forced_losses

FORMATS = ("tsv", "json")


@dataclass(frozen=True)
class ScoredPair:
    """What the decoder says of one target."""

    tokens: list[str]
    """The target's symbols, ``<eos>`` the last."""
    log_probs: list[float]
    """Natural logarithm of each symbol's probability given those before it."""
    alignment: list[int] | None
    """For each symbol but ``eos`` the source position that attention weighs most, from 0."""

    @property
    def log_prob(self) -> float:
        """Of the whole target."""
        return sum(self.log_probs)

    @property
    def pharaoh(self) -> str:
        """The alignment as pairs source-target."""
        pairs = enumerate(self.alignment or ())
        return " ".join(f"{source}-{target}" for target, source in pairs)


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
    pairs = score_pairs(
        bundle, sources, targets, alignment=cfg.alignment, max_tokens=cfg.max_tokens
    )
    as_line = _as_json if cfg.format == "json" else _as_columns
    text = "".join(f"{as_line(pair, tokens=cfg.tokens)}\n" for pair in pairs)
    if cfg.output == "-":
        sys.stdout.write(text)
    else:
        write_new(Path(cfg.output), text)


@torch.inference_mode()
def score_pairs(
    bundle: Bundle,
    sources: list[str],
    targets: list[str],
    *,
    alignment: bool = False,
    max_tokens: int = 4096,
) -> list[ScoredPair]:
    """Force each target on the decoder; a symbol that training never saw counts as ``<unk>``.

    :param sources: texts, or the paths of pictures or recordings.
    :param targets: one for each source; an empty one is the output that ends at once.
    :param alignment: whether to read alignments off the attention, too.
    :param max_tokens: symbols of a batch on either side, padding counted; of vectors ten times
        that.
    :raises InputError: if a source is unusable, or alignments are wanted of an attention without
        weights.
    """
    ids = bundle.processors.target.encode_batch(targets)
    scored: dict[int, ScoredPair] = {}
    for part in forced_decoding(bundle, sources, ids, max_tokens=max_tokens):
        losses, _ = teacher_forced_losses(bundle.model, part.forced)  # (R,)
        by_target = losses.double().split(part.batch.target_mask.sum(1).tolist())
        positions = None
        if alignment:
            weights, reader = part.weights("alignment"), bundle.processors.source
            positions = _most_weighed(weights, part.memory, reader).tolist()
        for place, row in enumerate(part.rows):
            target = [*ids[row], SPECIAL_IDS.eos]
            scored[row] = ScoredPair(
                tokens=bundle.processors.target.tokens(target),
                log_probs=(-by_target[place]).tolist(),
                alignment=None if positions is None else positions[place][: len(target) - 1],
            )
    return [scored[row] for row in range(len(sources))]


def _most_weighed(weights: Tensor, memory: Memory, reader: SourceReader) -> Tensor:
    """The source symbol (B, T) with the largest weight, from 0; ``eos`` and its like are none.

    :param weights: (B, T, S)
    """
    ends = memory.mask.sum(1, keepdim=True) - reader.specials_after  # (B, 1)
    positions = torch.arange(weights.size(2), device=weights.device)
    real = (positions >= reader.specials_before) & (positions < ends)  # (B, S)
    return weights.masked_fill(~real.unsqueeze(1), -1.0).argmax(2) - reader.specials_before


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
