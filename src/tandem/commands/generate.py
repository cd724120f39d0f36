"""Writes outputs for a file, for standard input, or for what a person types."""

import sys
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module

from omegaconf import DictConfig
from rich.text import Text

from tandem.commands import console
from tandem.commands.files import (
    check_input,
    check_output,
    source_lines,
    strips,
    writes_json,
)
from tandem.commands.windows import LARGEST_WINDOW, Advance, LineByLine, Row
from tandem.config.bundles import made_by, place, runs, with_decoding
from tandem.config.instantiate import check_values
from tandem.config.remedies import for_command
from tandem.core.devices import out_of_memory_explained
from tandem.core.errors import InputError
from tandem.core.lines import json_line, one_line
from tandem.core.printing import complain, say
from tandem.core.terminal import for_stream, visible
from tandem.data.readers import SourceReader
from tandem.inference import Bundle, load_bundles
from tandem.inference.records import output_records


@out_of_memory_explained("lower max_tokens, or search.width if the search keeps several hypotheses")
def generate(cfg: DictConfig, command: str = "") -> None:
    """Write an output for each line of ``cfg.input``.

    :param cfg: a composed ``generate`` config.
    :param command: unused; every command gets the line that repeats it.
    :raises InputError: if the bundle or a line is unusable, or the output file exists.
    """
    console.set_up(None)
    check_values(cfg)
    check_input(cfg.input, key="input")
    check_output(cfg.output)
    writes_json(cfg.output, cfg.format, "text")
    bundle = with_decoding(load_bundles(runs(cfg), average=cfg.average, trusted=cfg.trusted), cfg)
    check_n_best(bundle, cfg)
    check_attention(bundle, cfg)
    place(bundle, cfg.accelerator)
    if cfg.input == "-" and sys.stdin.isatty():
        converse(bundle, cfg)
        return
    line_by_line(bundle, cfg).write(cfg.output, made_by(cfg, "input"))


def line_by_line(bundle: Bundle, cfg: DictConfig) -> LineByLine:
    """How each line of the input is answered."""
    reader = bundle.processors.source
    inputs = source_lines(cfg.input, reader, strip=strips(bundle))
    warned = False

    def check(rows: list[Row], first: int) -> None:
        reader.check_lines([source for (source,) in rows], most=cfg.max_source_length, first=first)

    def answer(rows: list[Row], advance: Advance) -> list[str]:
        nonlocal warned
        sources = [source for (source,) in rows]
        warned = warned or warn_of_unknown(sources, reader)
        return lines(bundle, sources, cfg, advance)

    kept = reader.positions_per_symbol * (cfg.n_best or 1) * (16 if cfg.show_attention else 1)
    return LineByLine(
        rows=lambda: ((line,) for line in inputs),
        repeatable=inputs.repeatable,
        check=check,
        answer=answer,
        largest_window=LARGEST_WINDOW // kept,
    )


def warn_of_unknown(sources: list[str], reader: SourceReader) -> bool:
    """Name the unknown words of the first source that has some; return whether there is one."""
    for source in sources:
        if unknown := reader.unknown(source):
            _say_unknown(unknown, "Not in the vocabulary, for example")
            return True
    return False


def _say_unknown(words: list[str], what: str) -> None:
    say(Text(f"{what}: {visible(', '.join(words))}", style="yellow"))


def converse(bundle: Bundle, cfg: DictConfig) -> None:
    """Answer line by line until the input ends."""
    reader = bundle.processors.source
    say(Text(f"Type {reader.prompt} and press Enter; end with Ctrl-D.", style="dim"))
    for line in _typed(strip=strips(bundle), may_be_empty=not reader.needs_source):
        try:
            reader.check_lines([line], most=cfg.max_source_length)
            unknown = reader.unknown(line)
            if unknown:
                _say_unknown(unknown, "Not in the vocabulary")
            print(*(for_stream(text, sys.stdout) for text in lines(bundle, [line], cfg)))
        except InputError as error:
            complain(for_command(error, "generate"))


def _typed(*, strip: bool, may_be_empty: bool) -> Iterator[str]:
    """Lines that a person types; editable where there is readline.

    :param strip: remove whitespace at their ends.
    :param may_be_empty: whether empty ones count.
    """
    with suppress(ImportError):
        import_module("readline")  # which gives `input` its keys, and the lines before
    while True:
        try:
            line = input("> ")
        except UnicodeDecodeError as error:
            complain(InputError(f"What you typed is not {error.encoding.upper()}; type it again."))
            continue
        except (EOFError, KeyboardInterrupt):
            print()
            return
        if may_be_empty or line.strip():
            yield line.strip() if strip else line


def lines(
    bundle: Bundle, sources: list[str], cfg: DictConfig, advance: Advance = lambda count: None
) -> list[str]:
    """What is written for each source.

    Without ``cfg.n_best`` it is the text of the best hypothesis on one line (see
    :mod:`tandem.core.lines`), or a JSON object with the key ``text``; else a JSON list of so many,
    as :func:`output_records` makes them, with ``cfg.show_attention`` those of the attention, too.
    """
    target = bundle.processors.target
    found = bundle.hypotheses(sources, max_tokens=cfg.max_tokens, advance=advance)
    if cfg.n_best is None:
        texts = [target.decode(best.tokens) for best, *_ in found]
        if writes_json(cfg.output, cfg.format, "text"):
            return [json_line({"text": text}) for text in texts]
        return [one_line(text) for text in texts]
    found = [hypotheses[: cfg.n_best] for hypotheses in found]
    attention = None
    if cfg.show_attention:
        attention = bundle.attention(sources, found, max_tokens=cfg.max_tokens)
    return [json_line(one) for one in output_records(target, found, attention)]


def check_n_best(bundle: Bundle, cfg: DictConfig) -> None:
    """Refuse to ask for more hypotheses than search keeps, or for several on a line of text."""
    n_best, width = cfg.n_best, bundle.decoding.width
    if n_best is not None and cfg.format == "text":
        raise InputError(
            f"n_best={n_best} is written in JSON, but format=text was asked for; leave one out."
        )
    if n_best is not None and not (type(n_best) is int and 1 <= n_best <= width):
        raise InputError(
            f"`n_best` must be null or a whole number from 1 to {width}, which the search keeps of "
            f"each source, but is {n_best!r}; widen it, for example with search=beam "
            "search.width=10."
        )


def check_attention(bundle: Bundle, cfg: DictConfig) -> None:
    """Refuse to show attention where there is no place for it, or no single one."""
    if cfg.show_attention and cfg.n_best is None:
        raise InputError(
            "show_attention=true is written in JSON, which n_best asks for; add n_best=1, or leave "
            "show_attention out."
        )
    if cfg.show_attention and bundle.partners:
        raise InputError(
            f"show_attention=true shows one model's attention, but `run` is {cfg.run}; name one "
            "run, or leave show_attention out."
        )
    if cfg.show_attention and bundle.model.searches_itself:
        raise InputError(
            "show_attention=true needs attention weights, but an export to CTranslate2 gives none; "
            "leave it out, or name the run that was exported."
        )
    if cfg.show_attention and not bundle.model.has_weights:
        raise InputError(
            "show_attention=true needs attention weights, but this model's attention has none; "
            "leave it out, or train with another attention, such as attention=additive."
        )
