"""An exported model under every search, as a judge, and in an ensemble: as the run itself."""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from tandem.config.catalogue import option_names
from tandem.data.batching import Encoded
from tandem.data.ragged import Ragged
from tandem.export.graph_formats import quantize
from tandem.inference import load_bundle, load_bundles
from tandem.inference.decoding import encode
from tandem.inference.files import CONFIG, digests
from tandem.inference.teacher_forcing import TeacherForcedTotals
from tandem.search.scorers import CTCScorer

MODELS = [("transformer", "onnx"), ("words", "torch")]
"""A Transformer whose bundle has coverage, rules and CTC, and a recurrent model."""


@pytest.fixture(params=MODELS, ids="-".join)
def pair(request, exported):
    """The run's bundle, the export's, and sources."""
    name, format = request.param
    one = exported(name, format=format)
    return load_bundle(one.run), load_bundle(one.folder), one.sources


def outputs(bundle, sources):
    """Tokens and scores of all that search finds."""
    found = [one for ones in bundle.hypotheses(sources) for one in ones]
    return [one.tokens for one in found], [one.score for one in found]


def test_every_search_finds_the_same(pair, small_search) -> None:
    run, export, sources = pair
    for name in option_names("search"):
        search = small_search(name)
        bundles = [
            dataclasses.replace(one, decoding=dataclasses.replace(one.decoding, search=search))
            for one in (run, export)
        ]
        (expected, scores), (found, found_scores) = (outputs(one, sources) for one in bundles)
        assert found == expected
        assert found_scores == pytest.approx(scores, abs=1e-4)


def test_given_targets_score_the_same(pair) -> None:
    run, export, sources = pair
    targets = [*run.generate(sources)[:-1], ""]
    scored = [bundle.score(sources, targets, alignment=True) for bundle in (run, export)]
    for expected, found in zip(*scored, strict=True):
        assert found.log_probs == pytest.approx(expected.log_probs, abs=1e-4)
        assert found.alignment == expected.alignment
    found = run.hypotheses(sources)
    looks = [bundle.attention(sources, found) for bundle in (run, export)]
    for expected, seen in zip(*looks, strict=True):
        for one, other in zip(expected, seen, strict=True):
            np.testing.assert_allclose(other.weights, one.weights, atol=1e-5)


@torch.inference_mode()
def test_evaluation_sums_the_same_losses(pair) -> None:
    run, export, sources = pair
    column = run.processors.source.read(sources)
    targets = Ragged.from_lists([[4, 5, 6][: row + 1] for row in range(len(sources))])
    batch = Encoded(column, targets, np.arange(len(sources))).collate(np.arange(len(sources)))
    means = []
    for bundle in (run, export):
        totals = TeacherForcedTotals(bundle.model)
        totals.add(encode(bundle.model, batch), batch)
        means.append(totals.means("test"))
    assert means[1] == pytest.approx(means[0], abs=1e-4)


def test_ctc_has_a_say(exported) -> None:
    one = exported("transformer")
    found = []
    for folder in (one.run, one.folder):
        bundle = load_bundle(folder)
        decoding = dataclasses.replace(bundle.decoding, scorers=(CTCScorer(weight=0.5),))
        decoding.check(bundle.model)
        found.append(outputs(dataclasses.replace(bundle, decoding=decoding), one.sources))
    assert found[0][0] == found[1][0]
    assert found[1][1] == pytest.approx(found[0][1], abs=1e-4)


def test_a_run_and_its_export_decide_together(exported) -> None:
    one = exported("transformer")
    together = load_bundles([one.run, one.folder])
    assert together.generate(one.sources) == load_bundle(one.run).generate(one.sources)


def test_weights_of_eight_bits_are_smaller_and_nearly_the_same(exported, tmp_path) -> None:
    full = exported("transformer")
    small = Path(shutil.copytree(full.folder, tmp_path / "small"))
    quantize(small / "step.onnx")
    config = json.loads((small / CONFIG).read_text())
    config["sha256"] = digests(small)
    (small / CONFIG).write_text(json.dumps(config))
    assert (small / "step.onnx").stat().st_size < (full.folder / "step.onnx").stat().st_size
    targets = ["the cat"] * len(full.sources)
    scored = [load_bundle(folder).score(full.sources, targets) for folder in (full.folder, small)]
    for expected, found in zip(*scored, strict=True):
        assert found.log_prob == pytest.approx(expected.log_prob, rel=0.1)
        assert found.log_probs != expected.log_probs
