"""Says how probable given outputs are: the model as a judge instead of a writer."""

from collections.abc import Iterator
from itertools import zip_longest

from omegaconf import DictConfig

from tandem.commands import console
from tandem.commands.files import (
    Lines,
    check_input,
    check_output,
    source_lines,
    strips,
    writes_json,
)
from tandem.commands.windows import LARGEST_WINDOW, Advance, LineByLine, Row
from tandem.config.bundles import made_by, place, runs
from tandem.config.instantiate import check_values
from tandem.core.errors import InputError
from tandem.core.lines import json_line
from tandem.data.readers import SourceReader
from tandem.inference import Bundle, ScoredPair, load_bundle


def score(cfg: DictConfig, command: str = "") -> None:
    """Write a line about each pair of lines in ``cfg.source`` and ``cfg.target``.

    :param cfg: a composed ``score`` config.
    :param command: unused; every command gets the line that repeats it.
    :raises InputError: if the bundle or a file is unusable, or the output file exists.
    """
    console.set_up(None)
    check_values(cfg)
    for key in ("source", "target"):
        if cfg[key] is not None:
            check_input(cfg[key], key=key)
    if cfg.source == cfg.target == "-":
        raise InputError("source and target cannot both be standard input; give a file for one.")
    check_output(cfg.output)
    writes_json(cfg.output, cfg.format, "tsv")
    if len(runs(cfg)) != 1:
        raise InputError(f"`run` must be one folder here, but is {cfg.run}; score with each alone.")
    bundle = load_bundle(runs(cfg)[0], trusted=cfg.trusted)
    place(bundle, cfg.accelerator)
    line_by_line(bundle, cfg).write(cfg.output, made_by(cfg, "source", "target"))


def line_by_line(bundle: Bundle, cfg: DictConfig) -> LineByLine:
    """How each pair of lines is scored."""
    reader = bundle.processors.source
    strip = strips(bundle)
    check_source(cfg.source, reader)
    targets = Lines(cfg.target, strip=strip, key="target")
    sources = None
    if cfg.source is not None:
        sources = source_lines(cfg.source, reader, strip=strip, key="source")
    as_line = _as_json if writes_json(cfg.output, cfg.format, "tsv") else _as_columns

    def check(rows: list[Row], first: int) -> None:
        reader.check_lines([source for source, _ in rows], most=cfg.max_source_length, first=first)

    def answer(rows: list[Row], advance: Advance) -> list[str]:
        pairs = bundle.score(
            [source for source, _ in rows],
            [target for _, target in rows],
            alignment=cfg.alignment,
            max_tokens=cfg.max_tokens,
        )
        advance(len(rows))
        return [as_line(pair, tokens=cfg.tokens) for pair in pairs]

    return LineByLine(
        rows=lambda: _alone(targets) if sources is None else _paired(sources, targets),
        repeatable=targets.repeatable and (sources is None or sources.repeatable),
        check=check,
        answer=answer,
        largest_window=LARGEST_WINDOW // reader.positions_per_symbol,
    )


def check_source(source: str | None, reader: SourceReader) -> None:
    """Refuse to score without a source, or with one that nothing reads."""
    if source is None and reader.needs_source:
        raise InputError(
            "`source` is not set, but this model scores a target given its source; "
            "add source=..., a file with one source a line."
        )
    if source is not None and not reader.needs_source:
        raise InputError(
            f"source={source} would not be read, as a language model scores a text by "
            "itself; leave source out."
        )


def _alone(targets: Lines) -> Iterator[Row]:
    """Each line with an empty source."""
    return (("", target) for target in targets)


def _paired(sources: Lines, targets: Lines) -> Iterator[Row]:
    """Line n of one with line n of the other.

    :raises InputError: once one has more lines than the other.
    """
    left, right = iter(sources), iter(targets)
    for number, (source, target) in enumerate(zip_longest(left, right)):
        if source is None or target is None:
            longer = number + 1 + sum(1 for _ in (right if source is None else left))
            counts = (number, longer) if source is None else (longer, number)
            raise InputError(
                f"source={sources.name} has {counts[0]} lines and target={targets.name} "
                f"{counts[1]}, but line n of one belongs to line n of the other; make them equally "
                "long."
            )
        yield source, target


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
    return json_line(record)
