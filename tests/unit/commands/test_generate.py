"""What ``tandem generate`` writes: several runs, n-best lists, rules as text, least risk."""

import itertools
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tandem.commands import windows
from tandem.commands.generate import generate
from tandem.commands.score import score
from tandem.config.bundles import with_decoding
from tandem.core.errors import InputError
from tandem.core.lines import text_of
from tandem.core.types import SPECIAL_IDS
from tandem.data.tokenizers.tokenizer import Tokenizer
from tandem.inference.decoding import Decoding
from tandem.inference.ensemble import load_bundles
from tandem.metrics import ChrF
from tandem.search import GreedySearch
from tandem.search.rules import Banned, ForcedPrefix, MinLength, NoRepeatNgram
from tandem.search.scorers import CoveragePenalty

SOURCES = ["a b c", "d", "c c a b"]


def written(
    compose_config, run: str, tmp_path: Path, *options: str, lines: Sequence[str] = SOURCES
) -> list[str]:
    """Lines of ``tandem generate``."""
    source, output = tmp_path / "source.txt", tmp_path / "output.txt"
    source.write_text("".join(f"{line}\n" for line in lines))
    output.unlink(missing_ok=True)
    files = (f"input={source}", f"output={output}")
    generate(compose_config("generate", f"run={run}", *files, *options))
    return output.read_text().splitlines()


def test_generate_with_several_runs(small_bundle, compose_config, tmp_path) -> None:
    folders = [small_bundle("one"), small_bundle("two", seed=1)]
    run = f"[{folders[0]},{folders[1]}]"
    for average in ("probability", "log"):
        expected = load_bundles(folders, average=average).generate(SOURCES)
        assert written(compose_config, run, tmp_path, f"average={average}") == expected


def test_generate_names_unknown_words_once(small_bundle, compose_config, tmp_path, capsys) -> None:
    written(compose_config, small_bundle("one"), tmp_path, lines=["a b", "a [new]", "other"])
    warning = "Not in the vocabulary, for example: "
    (line,) = [one for one in capsys.readouterr().err.splitlines() if "vocabulary" in one]
    assert line.startswith(warning)
    assert "new" in line


def test_line_n_answers_line_n(small_bundle, compose_config, tmp_path, monkeypatch) -> None:
    folder = small_bundle("one")
    text = "\\frac\n\r\u2028\x85b"
    monkeypatch.setattr(Tokenizer, "decode", lambda self, ids: text)
    lines = written(compose_config, folder, tmp_path)
    assert [text_of(line) for line in lines] == [text] * len(SOURCES)
    assert lines[0].startswith("\\frac\\x0a")
    lines = written(compose_config, folder, tmp_path, "format=json")
    assert [json.loads(line) for line in lines] == [{"text": text}] * len(SOURCES)
    lines = written(compose_config, folder, tmp_path, "n_best=1")
    assert [json.loads(line)[0]["text"] for line in lines] == [text] * len(SOURCES)


def test_outputs_of_a_model_are_targets_of_another(small_bundle, compose_config, tmp_path) -> None:
    folder = small_bundle("one")
    sources, outputs = tmp_path / "sources.jsonl", tmp_path / "outputs.jsonl"
    sources.write_text('"a b\\nc"\n{"source": "d"}\n')
    files = (f"run={folder}", f"input={sources}", f"output={outputs}")
    generate(compose_config("generate", *files))
    assert len(outputs.read_text().splitlines()) == 2
    scores = tmp_path / "scores.jsonl"
    files = (f"run={folder}", f"source={sources}", f"target={outputs}", f"output={scores}")
    score(compose_config("score", *files))
    bundle = load_bundles(folder)
    pairs = bundle.score(["a b\nc", "d"], bundle.generate(["a b\nc", "d"]))
    assert [json.loads(line)["symbols"] for line in scores.read_text().splitlines()] == [
        len(pair.tokens) for pair in pairs
    ]


def test_a_source_of_whitespace_is_empty(small_bundle, compose_config, tmp_path) -> None:
    for truncate in (None, 3):
        folder = small_bundle(f"truncate {truncate}", truncate_source=truncate)
        with pytest.raises(InputError, match=r"^Line 2 of the input is empty; every line needs a"):
            written(compose_config, f"'{folder}'", tmp_path, lines=["a", " \u2003"])


def test_n_best_is_no_text(small_bundle, compose_config, tmp_path) -> None:
    with pytest.raises(InputError, match="n_best=1 is written in JSON, but format=text was asked"):
        written(compose_config, small_bundle("one"), tmp_path, "n_best=1", "format=text")


def test_n_best(small_bundle, compose_config, tmp_path) -> None:
    folder = small_bundle("one")
    beam = ("search=beam", "search.width=4")
    best = written(compose_config, folder, tmp_path, *beam)
    lines = written(compose_config, folder, tmp_path, *beam, "n_best=3")
    assert len(lines) == len(SOURCES)
    for line, text in zip(lines, best, strict=True):
        records = json.loads(line)
        assert len(records) == 3
        assert records[0]["text"] == text
        scores = [record["score"] for record in records]
        assert scores == sorted(scores, reverse=True)
        for record in records:
            special = ("<eos>", "<pad>", "<bos>")
            words = [token for token in record["tokens"] if token not in special]
            assert " ".join(words) == record["text"]


def test_attention(small_bundle, compose_config, tmp_path) -> None:
    folder = small_bundle("one")
    options = ("search=beam", "search.width=4", "n_best=3")
    plain = written(compose_config, folder, tmp_path, *options)
    lines = written(compose_config, folder, tmp_path, *options, "show_attention=true")
    bundle = load_bundles(folder)
    for line, before, text in zip(lines, plain, SOURCES, strict=True):
        for record, other in zip(json.loads(line), json.loads(before), strict=True):
            weights, symbols = record.pop("attention"), record.pop("source")
            assert record == other
            assert symbols == [*text.split(), "<eos>"]
            assert len(weights) == len(record["tokens"])
            assert all(len(row) == len(symbols) for row in weights)
            assert all(sum(row) == pytest.approx(1.0, abs=0.001) for row in weights)
    # The first row of weights is that of the first step, whatever is written then.
    memory = bundle.model.encode(*bundle.processors.source.read(SOURCES[:1]).batch(np.array([0])))
    first = bundle.model.decode(torch.tensor([[SPECIAL_IDS.bos]]), bundle.model.start(memory))
    shown = json.loads(lines[0])[0]["attention"][0]
    assert shown == pytest.approx(first.weights()[0, 0].tolist(), abs=0.0001)


def test_attention_that_cannot_be_shown(small_bundle, compose_config, tmp_path) -> None:
    one, blind = small_bundle("one"), small_bundle("blind", attention="NoAttention")

    def refused(run: str, *options: str) -> str:
        with pytest.raises(InputError) as caught:
            written(compose_config, run, tmp_path, "show_attention=true", *options)
        return str(caught.value)

    assert refused(one) == (
        "show_attention=true is written in JSON, which n_best asks for; add n_best=1, or leave "
        "show_attention out."
    )
    assert "shows one model's attention" in refused(f"[{one},{one}]", "n_best=1")
    assert "this model's attention has none" in refused(blind, "n_best=1")


@pytest.mark.parametrize(
    ("n_best", "message"),
    [
        ("0", "`n_best` must be a whole number of at least 1 or null, but is 0."),
        ("1.5", "`n_best` must be a whole number of at least 1 or null, but is 1.5."),
        ("all", '`n_best` must be a whole number of at least 1 or null, but is "all".'),
        (
            "5",
            "`n_best` must be null or a whole number from 1 to 4, which the search keeps of each "
            "source, but is 5; widen it, for example with search=beam search.width=10.",
        ),
    ],
)
def test_bad_n_best(small_bundle, compose_config, tmp_path, n_best, message) -> None:
    options = ("search=beam", "search.width=4", f"n_best={n_best}")
    with pytest.raises(InputError) as caught:
        written(compose_config, small_bundle("one"), tmp_path, *options)
    assert str(caught.value) == message


def test_rules_as_text(small_bundle, compose_config, tmp_path) -> None:
    folder = small_bundle("one")
    prefix = ("rule.forced_prefix.prefix=y z", "rule.forced_prefix.prefix=y")
    for rules in (
        ("rule=forced_prefix", prefix[0]),
        ("rule=[forced_prefix,banned]", prefix[1], "rule.banned.sequences=[w,[5],y y]"),
    ):
        lines = written(compose_config, folder, tmp_path, "search=greedy", *rules)
        assert all(line.startswith(rules[1].partition("=")[2]) for line in lines)
    bundle = load_bundles(folder)
    target = bundle.processors.target
    w, y = (target.encode_batch([word])[0][0] for word in "wy")
    ids = (ForcedPrefix(prefix=[y]), Banned(sequences=[[w], [5], [y, y]]))
    bundle = replace(bundle, decoding=Decoding(GreedySearch(), rules=ids))
    assert lines == [target.decode(best.tokens) for (best,) in bundle.hypotheses(SOURCES)]


def test_required_text(small_bundle, compose_config, tmp_path) -> None:
    folder = small_bundle("one")
    options = ("search=constrained", "search.required=[y z,w]")
    lines = written(compose_config, folder, tmp_path, *options)
    assert lines
    for line in lines:
        assert "y z" in line
        assert "w" in line.split()


@pytest.mark.parametrize(
    ("group", "key", "value"),
    [
        ("rule=forced_prefix", "rule.forced_prefix.prefix", "q"),
        ("rule=banned", "rule.banned.sequences", "[w,q]"),
        ("search=constrained", "search.required", "[w,q]"),
    ],
)
def test_text_that_the_vocabulary_does_not_have(
    small_bundle, compose_config, tmp_path, group, key, value
) -> None:
    with pytest.raises(InputError) as caught:
        written(compose_config, small_bundle("one"), tmp_path, group, f"{key}={value}")
    assert str(caught.value) == (
        f"`{key}` holds 'q', which cannot be written with the target vocabulary; correct it."
    )


def test_each_of_search_scorer_and_rule_is_replaced_by_itself(small_bundle, compose_config) -> None:
    bundle = load_bundles(small_bundle("one"))
    trained = replace(
        bundle,
        decoding=Decoding(GreedySearch(), (CoveragePenalty(penalty=1.0),), (MinLength(least=2),)),
    )

    def chosen(*overrides: str) -> Decoding:
        return with_decoding(trained, compose_config("generate", "run=x", *overrides)).decoding

    assert chosen() == trained.decoding
    beam = chosen("search=beam")
    assert (beam.width, beam.scorers, beam.rules) == (5, *parts(trained))
    free = chosen("rule=none")
    assert (free.search, free.scorers, free.rules) == (
        trained.decoding.search,
        parts(trained)[0],
        (),
    )
    alone = chosen("scorer=none", "rule=[no_repeat_ngram,min_length]", "rule.min_length.least=7")
    assert alone.scorers == ()
    assert [type(rule) for rule in alone.rules] == [NoRepeatNgram, MinLength]
    assert alone.rules[1].least == 7
    with pytest.raises(InputError, match="scorer=ctc needs a model with a CTC layer"):
        chosen("scorer=ctc")


def parts(bundle) -> tuple:
    return bundle.decoding.scorers, bundle.decoding.rules


def test_a_device_that_is_none_is_refused(small_bundle, compose_config, tmp_path) -> None:
    message = '`accelerator` must be one of auto, cpu, gpu, cuda, mps, but is "abacus".'
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        written(compose_config, small_bundle("one"), tmp_path, "accelerator=abacus")
    assert written(compose_config, small_bundle("two"), tmp_path, "accelerator=cpu")


def test_least_risk(small_bundle, compose_config, tmp_path) -> None:
    folder = small_bundle("one")
    sampled = ("search=sampling", "search.num_samples=8", "n_best=8")
    plain = written(compose_config, folder, tmp_path, *sampled)
    ranked = written(compose_config, folder, tmp_path, *sampled, "metric@mbr=chrf")
    scorer = ChrF(char_order=6, word_order=0, beta=2, lowercase=False)
    for before, after in zip(map(json.loads, plain), map(json.loads, ranked), strict=True):
        texts = [record["text"] for record in before]
        means = {text: sum(scorer([text], [[other]])["chrf"] for other in texts) for text in texts}
        found = [means[record["text"]] for record in after]
        assert found == pytest.approx(sorted((means[text] for text in texts), reverse=True))
        assert sorted(map(str, before)) == sorted(map(str, after))
    assert plain != ranked


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["search=greedy", "metric@mbr=chrf"],
            "metric@mbr chooses among several outputs of each source, but the search finds one; "
            "add search=sampling search.num_samples=32, or leave metric@mbr out.",
        ),
        (
            ["search=beam", "metric@mbr=[chrf,bleu]"],
            "metric@mbr takes one metric, but got chrf, bleu; choose one.",
        ),
        (
            ["search=beam", "metric@mbr=cider"],
            "CIDEr cannot judge an output, as it does not compare single texts; choose another "
            "one, such as metric@mbr=chrf.",
        ),
    ],
)
def test_risk_needs_a_choice(small_bundle, compose_config, tmp_path, options, message) -> None:
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        written(compose_config, small_bundle("one"), tmp_path, *options)


@pytest.mark.parametrize(
    "options",
    [
        ("search=sampling", "search.num_samples=3"),
        ("search=beam", "search.width=3", "n_best=2", "show_attention=true"),
    ],
)
def test_a_stopped_command_goes_on_as_if_it_had_not_been(
    small_bundle, compose_config, tmp_path, monkeypatch, options
) -> None:
    monkeypatch.setattr(windows, "FIRST_WINDOW", 2)
    run, source = small_bundle("one"), tmp_path / "source.txt"
    source.write_text("".join(f"{' '.join('abcd'[: n % 4 + 1])}\n" for n in range(30)))

    def command(output: str) -> None:
        files = (f"run={run}", f"input={source}", f"output={tmp_path / output}")
        generate(compose_config("generate", *files, *options))

    command("whole.txt")
    write, calls = windows.PartialFile.write, itertools.count()

    def stopping(self, *args) -> None:
        if next(calls) == 3:
            raise KeyboardInterrupt
        write(self, *args)

    monkeypatch.setattr(windows.PartialFile, "write", stopping)
    with pytest.raises(KeyboardInterrupt):
        command("out.txt")
    assert len((tmp_path / "out.txt.part").read_text().splitlines()) == 8
    command("out.txt")
    assert (tmp_path / "out.txt").read_text() == (tmp_path / "whole.txt").read_text()
