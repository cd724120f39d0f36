"""Transformers of every shape write the same outputs with CTranslate2; others are refused."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tokenizers
import torch

from tandem.core.errors import InputError
from tandem.data.preprocessing import Processors
from tandem.data.readers import TextReader
from tandem.data.tokenizers import WordTokenizer
from tandem.export.base import find_exporter
from tandem.export.folder import write_export
from tandem.inference import Bundle, load_bundle, load_bundles, save_bundle
from tandem.inference.decoding import Decoding
from tandem.inference.exported.ctranslate2 import check_decoding
from tandem.inference.trust import build_trusted
from tandem.layers.positions import KINDS
from tandem.layers.transformer import ACTIVATIONS
from tandem.models import assemble
from tandem.search import BeamSearch, DiverseBeamSearch, GreedySearch, Search
from tandem.search.rules import NoUnk

ctranslate2 = pytest.importorskip("ctranslate2")

WriteBundle = Callable[..., Path]

LETTERS = "a b c d e f g h i j k l m n o p"
MAX_LENGTH = 12
GREEDY = {"_target_": "tandem.search.GreedySearch"}
SHAPE: dict[str, Any] = {
    "_partial_": True,
    "hidden_size": 16,
    "num_layers": 2,
    "num_heads": 4,
    "feed_forward_size": 24,
    "norm": "post",
    "activation": "relu",
    "positions": "sinusoidal",
    "max_length": 20,
    "input_dropout": 0.0,
    "dropout": 0.0,
    "attention_dropout": 0.0,
    "activation_dropout": 0.0,
}
MULTI_HEAD = {
    "_target_": "tandem.attentions.MultiHeadAttention",
    "_partial_": True,
    "num_heads": 4,
    "dropout": 0.0,
}


def parts(
    *, encoder: Any = (), decoder: Any = (), embedding_size: int = 16, **model: Any
) -> dict[str, Any]:
    """What a bundle's config says of a Transformer with some options."""
    dropout = {"dropout": 0.0}
    return {
        "frontend": {
            "_target_": "tandem.frontends.TextFrontend",
            "_partial_": True,
            "embedding_size": embedding_size,
            **dropout,
        },
        "encoder": {"_target_": "tandem.encoders.TransformerEncoder", **SHAPE} | dict(encoder),
        "decoder": {
            "_target_": "tandem.decoders.TransformerDecoder",
            "attention": MULTI_HEAD,
            **SHAPE,
        }
        | dict(decoder),
        "model": {
            "embedding_size": embedding_size,
            "tie_embeddings": "none",
            "copying": False,
            "ctc_weight": 0.0,
            **dropout,
        }
        | model,
    }


def both(**options: Any) -> dict[str, Any]:
    return {"encoder": options, "decoder": options}


SHAPES: dict[str, dict[str, Any]] = {
    "pre": both(norm="pre"),
    **{f"activation={name}": both(activation=name) for name in ACTIVATIONS},
    **{f"positions={name}": both(positions=name) for name in KINDS},
    "tie=target": {"tie_embeddings": "target"},
    "tie=all": {"tie_embeddings": "all"},
    "embeddings": {"embedding_size": 12},
    "sides": {
        "encoder": {"hidden_size": 24, "num_layers": 1, "num_heads": 3, "norm": "pre"},
        "decoder": {"feed_forward_size": 40, "positions": "learned"},
    },
}


@pytest.fixture
def write_bundle(tmp_path: Path) -> WriteBundle:
    """Write a bundle of a Transformer with random weights that reads and writes letters."""

    def write(*, search: dict[str, Any] | None = None, **options: Any) -> Path:
        recipe = WordTokenizer(
            shared=True,
            lowercase=False,
            normalization="none",
            vocabulary_size=30,
            min_frequency=1,
        )
        tokenizer = recipe.train([LETTERS])
        processors = Processors(TextReader(tokenizer, truncate=None), tokenizer, shared=True)
        config = parts(**options)
        makers = {key: build_trusted(config[key], "model", ()) for key in config if key != "model"}
        torch.manual_seed(0)
        model = assemble(
            **makers,
            **config["model"],
            source_size=processors.source.size,
            target_size=tokenizer.vocabulary_size,
            shared_vocabulary=True,
        )
        generator = torch.Generator().manual_seed(0)
        for parameter in model.parameters():
            with torch.no_grad():
                noise = torch.randn(parameter.shape, generator=generator)
                parameter.copy_(0.4 * noise if parameter.dim() > 1 else parameter + 0.1 * noise)
        others: dict[str, Any] = {"scorer": {}, "rule": {}, "dataset": {}, "metric": {}}
        save_bundle(
            tmp_path / "run",
            model=model,
            processors=processors,
            max_length=MAX_LENGTH,
            config={"model": config, "search": search or GREEDY, **others},
        )
        return tmp_path / "run"

    return write


def full_beam(width: int = 5, penalty: str = "average", alpha: float = 1.0) -> BeamSearch:
    return BeamSearch(width=width, length_penalty=penalty, alpha=alpha, stop="full")


def export(run: Path, *, weights: str = "float32") -> Path:
    exporter = find_exporter("ctranslate2", weights, run)
    bundle, output = load_bundle(run), run.with_name(f"{run.name}-{weights}")
    exporter.check(bundle)
    write_export(bundle, run, output, exporter, weights=weights)
    return output


def with_search(bundle: Bundle, search: Search) -> Bundle:
    return Bundle(
        bundle.model, bundle.processors, Decoding(search), bundle.max_length, bundle.config
    )


def texts(count: int = 40) -> list[str]:
    rng = np.random.default_rng(0)
    return [" ".join(rng.choice(LETTERS.split(), rng.integers(1, 9))) for _ in range(count)]


@pytest.mark.parametrize("name", SHAPES)
def test_outputs_and_scores_are_the_same(name: str, write_bundle: WriteBundle) -> None:
    run = write_bundle(**SHAPES[name])
    ours, theirs = load_bundle(run), load_bundle(export(run))
    for search in (GreedySearch(), full_beam(5), full_beam(3, "none"), full_beam(1, alpha=0.6)):
        expected, found = (
            with_search(bundle, search).hypotheses(texts()) for bundle in (ours, theirs)
        )
        assert [[one.tokens for one in of] for of in found] == [
            [one.tokens for one in of] for of in expected
        ]
        for one, other in zip(expected, found, strict=True):
            scores = [hypothesis.score for hypothesis in one]
            assert [hypothesis.score for hypothesis in other] == pytest.approx(scores, abs=1e-3)


def test_lengths_of_outputs_differ(write_bundle: WriteBundle) -> None:
    """So the test above sees outputs that end early, and some that are cut."""
    bundle = load_bundle(write_bundle(**SHAPES["sides"]))
    lengths = {len(best.tokens) for best, *_ in bundle.hypotheses(texts())}
    assert min(lengths) == 1
    assert max(lengths) == MAX_LENGTH


def test_eight_bits_score_alike_and_leave_the_model_as_it_is(write_bundle: WriteBundle) -> None:
    run = write_bundle(**SHAPES["sides"])
    bundle = load_bundle(run)
    before = {name: weight.clone() for name, weight in bundle.model.state_dict().items()}
    output = run.with_name("int8")
    write_export(bundle, run, output, find_exporter("ctranslate2", "int8", run), weights="int8")
    assert all(torch.equal(before[key], one) for key, one in bundle.model.state_dict().items())
    float32 = export(run)
    sizes = [(folder / "ctranslate2" / "model.bin").stat().st_size for folder in (output, float32)]
    assert sizes[0] < sizes[1]
    pairs = zip(*(load_bundle(folder).hypotheses(texts()) for folder in (output, run)), strict=True)
    same = sum(one[0].tokens == other[0].tokens for one, other in pairs)
    assert 0.5 * len(texts()) < same


def test_ctranslate2_reads_the_inner_folder_without_tandem(write_bundle: WriteBundle) -> None:
    run = write_bundle(**SHAPES["sides"])
    output = export(run)
    inner = json.loads((output / "target_tokenizer.json").read_text())["tokenizer"]
    tokenizer = tokenizers.Tokenizer.from_str(json.dumps(inner))
    translator = ctranslate2.Translator(str(output / "ctranslate2"))
    sources = [tokenizer.encode(text).tokens for text in texts()]
    results = translator.translate_batch(
        sources, beam_size=1, min_decoding_length=0, max_decoding_length=MAX_LENGTH
    )
    found = [" ".join(map(str.strip, one.hypotheses[0])) for one in results]
    assert found == load_bundle(run).generate(texts())


OTHER_ATTENTION = {"_target_": "tandem.attentions.GeneralAttention", "_partial_": True}
REFUSED = {
    "GeneralAttention; choose format=onnx, or train with attention=multi_head.": {
        "decoder": {"attention": OTHER_ATTENTION}
    },
    "2 heads over the source beside 4 of self-attention and model.copying=true; choose "
    "format=onnx, or train with attention.num_heads=4 model.copying=false.": {
        "decoder": {"attention": MULTI_HEAD | {"num_heads": 2}},
        "copying": True,
    },
}


@pytest.mark.parametrize("ending", REFUSED)
def test_models_of_other_shapes_are_refused(ending: str, write_bundle: WriteBundle) -> None:
    run = write_bundle(**REFUSED[ending])
    message = (
        "format=ctranslate2 writes Transformers that read texts through attention=multi_head, but "
        f"this model has {ending}"
    )
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        export(run)


def test_other_families_are_refused(small_bundle: Callable[..., Path]) -> None:
    message = (
        "this model has RecurrentEncoder and RecurrentDecoder; choose format=onnx, or train with "
        "encoder=transformer decoder=transformer attention=multi_head."
    )
    with pytest.raises(InputError, match=re.escape(message)):
        export(small_bundle("run"))


@pytest.mark.parametrize(
    ("decoding", "missing"),
    [
        (Decoding(full_beam(2, "gnmt")), "search.length_penalty=gnmt"),
        (
            Decoding(BeamSearch(width=2, length_penalty="none", alpha=1.0, stop="pool")),
            "search.stop=pool",
        ),
        (
            Decoding(
                DiverseBeamSearch(
                    width=2, groups=2, diversity=0.5, length_penalty="none", alpha=1.0
                ),
                rules=(NoUnk(),),
            ),
            "NoUnk, DiverseBeamSearch",
        ),
    ],
    ids=["penalty", "stop", "rule"],
)
def test_decoding_that_the_program_lacks_is_refused(decoding: Decoding, missing: str) -> None:
    message = f"CTranslate2 searches by itself, and without {missing}; choose search=greedy"
    with pytest.raises(InputError, match=re.escape(message)):
        check_decoding(decoding)


def test_what_only_scores_could_answer_is_refused(write_bundle: WriteBundle) -> None:
    output = export(write_bundle())
    with pytest.raises(InputError, match="gives whole outputs of one model, and no probabilities"):
        load_bundle(output).score(["a b"], ["b a"])
    with pytest.raises(InputError, match="cannot be part of an ensemble; name one folder"):
        load_bundles([output, output])
    with pytest.raises(InputError, match=r"^CTranslate2 computes here on cpu.*, not on mps"):
        load_bundle(output).to(torch.device("mps"))


def test_a_source_beyond_the_positions_and_damaged_files(write_bundle: WriteBundle) -> None:
    output = export(write_bundle(**both(positions="learned")))
    message = "A source of 22 symbols is longer than the 20 positions that this export"
    with pytest.raises(InputError, match=message):
        load_bundle(output).generate(["a " * 21])
    assert len(load_bundle(output).generate(["a " * 19])) == 1
    with (output / "ctranslate2" / "model.bin").open("ab") as file:
        file.write(b"more")
    with pytest.raises(InputError, match=r"ctranslate2/model\.bin"):
        load_bundle(output)


def test_somebody_elses_weights_are_not_opened(
    write_bundle: WriteBundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = export(write_bundle())
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "another user"))
    with pytest.raises(InputError, match=r"add trusted=\[ctranslate2\] if you trust who made it"):
        load_bundle(output)
    assert len(load_bundle(output, trusted=["ctranslate2"]).generate(texts(2))) == 2


def test_beam_search_ends_as_the_program_does(
    write_bundle: WriteBundle, caplog: pytest.LogCaptureFixture
) -> None:
    beam = {"_target_": "tandem.search.BeamSearch", "width": 3, "length_penalty": "average"}
    output = export(write_bundle(search=beam | {"alpha": 1.0, "stop": "pool"}))
    assert caplog.messages == [
        "CTranslate2 ends beam search once search.width outputs have ended: the export has "
        "search.stop=full instead of search.stop=pool, and may write other outputs."
    ]
    bundle = load_bundle(output)
    assert bundle.config["search"] == beam | {"alpha": 1.0, "stop": "full"}
    assert {len(one) for one in bundle.hypotheses(texts(3))} == {3}
