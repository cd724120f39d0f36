"""``tandem score``: the model as a judge."""

import json
import math
import re
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import pytest
import torch

from tandem.commands.score import score
from tandem.core.errors import InputError
from tandem.core.memory import Memory
from tandem.data.readers import SourceReader
from tandem.inference.bundle import load_bundle
from tandem.inference.decoding import Decoding
from tandem.inference.scoring import most_weighed
from tandem.search import BeamSearch
from tandem.search.rules import Banned

SOURCES = ["a b c", "d", "c c a b", "a"]
TARGETS = ["x y", "", "z z w x", "w new"]


def by_steps(bundle, source: str, target: str) -> tuple[list[float], list[int]]:
    """Symbol by symbol: log-probabilities, and the places of the largest weights."""
    ids = [*bundle.processors.source.read([source]).ids.row(0), 2]
    wanted = [*bundle.processors.target.encode_batch([target])[0], 2]
    model, read = bundle.model, torch.tensor([ids])
    state = model.start(model.encode(read, torch.ones_like(read).bool()))
    log_probs, places, last = [], [], 1
    for symbol in wanted:
        predicted = model.decode(torch.tensor([[last]]), state)
        state, last = predicted.state, symbol
        scores = model.scores(predicted.features, predicted.copied)[0, 0]
        log_probs.append(scores.log_softmax(-1)[symbol].item())
        if predicted.weights is not None:
            places.append(int(predicted.weights()[0, 0, :-1].argmax()))  # the last is eos
    return log_probs, places[:-1]


@torch.inference_mode()
@pytest.mark.parametrize("max_tokens", [4096, 6])
def test_scores_and_alignments_equal_those_of_single_steps(small_bundle, max_tokens) -> None:
    bundle = load_bundle(small_bundle("bundle"))
    pairs = bundle.score(SOURCES, TARGETS, alignment=True, max_tokens=max_tokens)
    for pair, source, target in zip(pairs, SOURCES, TARGETS, strict=True):
        log_probs, places = by_steps(bundle, source, target)
        assert pair.log_probs == pytest.approx(log_probs, abs=1e-5)
        assert pair.log_prob == pytest.approx(sum(log_probs), abs=1e-5)
        assert pair.alignment == places
        assert all(place < len(source.split()) for place in places)
    assert pairs[0].tokens == ["x", "y", "<eos>"]
    assert pairs[1].tokens == ["<eos>"]
    assert pairs[3].tokens == ["w", "<unk>", "<eos>"]
    assert bundle.score([], []) == []


def test_what_search_writes_gets_the_score_of_search(small_bundle) -> None:
    search = BeamSearch(width=2, length_penalty="none", alpha=1.0, stop="pool")
    decoding = Decoding(search, rules=(Banned(sequences=[[3]]),))
    bundle = replace(load_bundle(small_bundle("bundle")), decoding=decoding)
    found = bundle.hypotheses(SOURCES)
    finished = [
        (source, one)
        for source, hypotheses in zip(SOURCES, found, strict=True)
        for one in hypotheses
        if one.tokens[-1] == 2 and not {0, 1} & set(one.tokens)
    ]
    assert len(finished) >= 2
    texts = [bundle.processors.target.decode(one.tokens) for _, one in finished]
    pairs = bundle.score([source for source, _ in finished], texts)
    assert [pair.log_prob for pair in pairs] == pytest.approx([one.score for _, one in finished])


def test_symbols_around_a_source_are_never_aligned() -> None:
    """The largest weights lie on the ends, which stand for nothing."""
    weights = torch.tensor([[[0.4, 0.1, 0.2, 0.3], [0.4, 0.25, 0.05, 0.3]]])
    memory = Memory(torch.zeros(1, 4, 1), torch.ones(1, 4, dtype=torch.bool), torch.zeros(1, 1))
    for before, after, expected in (
        (0, 0, [0, 0]),
        (0, 1, [0, 0]),
        (1, 1, [1, 0]),
        (1, 0, [2, 2]),
    ):
        reader = Mock(spec=SourceReader, specials_before=before, specials_after=after)
        assert most_weighed(weights, memory, reader).tolist() == [expected]


def run(compose_config, folder: Path, tmp_path: Path, *options: str) -> list[str]:
    """Lines that the command writes."""
    for name, lines in (("source", SOURCES), ("target", TARGETS)):
        (tmp_path / name).write_text("".join(f"{line}\n" for line in lines))
    output = tmp_path / "output"
    output.unlink(missing_ok=True)
    files = (f"source={tmp_path / 'source'}", f"target={tmp_path / 'target'}", f"output={output}")
    score(compose_config("score", f"run={folder}", *files, *options))
    return output.read_text().splitlines()


def test_formats(small_bundle, compose_config, tmp_path) -> None:
    folder = small_bundle("bundle")
    pairs = load_bundle(folder).score(SOURCES, TARGETS, alignment=True)
    short = [line.split("\t") for line in run(compose_config, folder, tmp_path)]
    assert [[float(number), int(symbols)] for number, symbols in short] == [
        [pytest.approx(pair.log_prob, abs=1e-6), len(pair.tokens)] for pair in pairs
    ]
    options = ("tokens=true", "alignment=true")
    wide = [line.split("\t") for line in run(compose_config, folder, tmp_path, *options)]
    for columns, pair in zip(wide, pairs, strict=True):
        numbers = [float(number) for number in columns[2].split()]
        assert numbers == pytest.approx(pair.log_probs, abs=1e-6)
        assert columns[3] == " ".join(f"{s}-{t}" for t, s in enumerate(pair.alignment))
    lines = run(compose_config, folder, tmp_path, "format=json", *options)
    for line, pair in zip(lines, pairs, strict=True):
        assert json.loads(line) == {
            "log_prob": pair.log_prob,
            "symbols": len(pair.tokens),
            "tokens": pair.tokens,
            "log_probs": pair.log_probs,
            "alignment": pair.pharaoh,
        }
    plain = json.loads(run(compose_config, folder, tmp_path, "format=json")[0])
    assert plain.keys() == {"log_prob", "symbols"}
    assert math.isfinite(plain["log_prob"])


def test_standard_output(small_bundle, compose_config, tmp_path, capsys) -> None:
    (tmp_path / "one").write_text("a b\n")
    files = [f"{key}={tmp_path / 'one'}" for key in ("source", "target")]
    score(compose_config("score", f"run={small_bundle('bundle')}", *files))
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_mistakes(small_bundle, compose_config, tmp_path) -> None:
    folder = small_bundle("bundle", attention="NoAttention")
    source, target = tmp_path / "source", tmp_path / "target"

    def refused(*options: str) -> str:
        with pytest.raises(InputError) as caught:
            run(compose_config, folder, tmp_path, *options)
        return str(caught.value)

    assert refused("alignment=true") == (
        "alignment=true needs attention weights, but this model's attention has none; leave it "
        "out, or train with another attention, such as attention=additive."
    )
    assert refused("format=csv") == "`format` must be one of auto, tsv, json, but is 'csv'."
    assert refused(f"run=[{folder},{folder}]").startswith("`run` must be one folder here, but is [")
    assert refused(f"target={tmp_path / 'none'}") == (
        f"The target {tmp_path / 'none'} does not exist; correct the path."
    )
    (tmp_path / "short").write_text("x\n")
    assert refused(f"target={tmp_path / 'short'}") == (
        f"source={source} has 4 lines and target={tmp_path / 'short'} 1, but line n of one belongs "
        "to line n of the other; make them equally long."
    )
    assert re.match(r"Line 3 of the input has 4 symbols", refused("max_source_length=3"))
    assert not (tmp_path / "output").exists()
    (tmp_path / "output").write_text("mine")
    files = (f"source={source}", f"target={target}", f"output={tmp_path / 'output'}")
    cfg = compose_config("score", f"run={folder}", *files)
    with pytest.raises(InputError, match="already exists"):
        score(cfg)


def test_a_missing_source(small_bundle, compose_config, tmp_path) -> None:
    (tmp_path / "target.txt").write_text("x\n")
    cfg = compose_config("score", f"run={small_bundle('bundle')}", f"target={tmp_path}/target.txt")
    with pytest.raises(InputError, match=r"^`source` is not set, but this model scores .* add sou"):
        score(cfg)
