"""Which models a page takes, and what it says of them."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from omegaconf import DictConfig, OmegaConf

from tandem.config.catalogue import complete_options
from tandem.config.folders import config_folder
from tandem.config.instantiate import make, make_each
from tandem.core.errors import InputError
from tandem.data.preprocessing import Processors
from tandem.data.readers import FileReader, TextReader
from tandem.data.tokenizers import PretrainedTokenizer
from tandem.data.tokenizers.tokenizer import Tokenizer
from tandem.export.web import contents
from tandem.export.web.contents import BEAM, check_web, examples_of, page_data
from tandem.inference import Bundle, load_bundle

Compose = Callable[..., DictConfig]
SmallBundle = Callable[..., Path]
TOKENIZERS = complete_options("tokenizer")
RULES = sorted({path.stem for path in (config_folder() / "rule").glob("*.yaml")} - {"none"})
SCORERS = sorted({*complete_options("scorer")} - {"none"})
TEXTS = {"forced_prefix": {"prefix": "x"}, "banned": {"sequences": ["y"]}}
DESCRIPTION = {"scores": "logits", "state": []}


@pytest.fixture
def bundle(small_bundle: SmallBundle) -> Bundle:
    return load_bundle(small_bundle("run"))


def refused(bundle: Bundle) -> str:
    with pytest.raises(InputError) as caught:
        check_web(bundle)
    return str(caught.value)


def with_reader(bundle: Bundle, reader: Any) -> Bundle:
    return replace(bundle, processors=Processors(reader, bundle.processors.target, shared=False))


@pytest.mark.parametrize("name", TOKENIZERS)
def test_every_tokenizer_is_known(bundle: Bundle, compose_config: Compose, name: str) -> None:
    recipe = make(compose_config("train", f"tokenizer={name}").tokenizer)
    tokenizer = recipe.train(["a b c d"])
    check_web(with_reader(bundle, TextReader(tokenizer, truncate=None)))


def test_a_tokenizer_of_others_is_refused(bundle: Bundle) -> None:
    folder = Path(__file__).parents[3] / "conf" / "checkpoint"
    tokenizer = PretrainedTokenizer(shared=False, path=str(folder)).read()
    with pytest.raises(InputError, match="does not do the tokenizer's BertNormalizer"):
        check_web(with_reader(bundle, TextReader(tokenizer, truncate=None)))


@pytest.mark.parametrize(
    ("key", "part", "name"),
    [
        ("normalizer", {"type": "Sequence", "normalizers": [{"type": "Nmt"}]}, "Nmt"),
        ("pre_tokenizer", {"type": "Whitespace"}, "Whitespace"),
    ],
)
def test_other_tokenizers_are_refused(
    bundle: Bundle, key: str, part: dict[str, Any], name: str
) -> None:
    record = json.loads(bundle.processors.target.to_json())
    record["tokenizer"][key] = part
    other = with_reader(bundle, TextReader(Tokenizer.from_json(json.dumps(record)), truncate=None))
    assert refused(other) == (
        f"A web page does not do the tokenizer's {name} with these options, so tokens would "
        "differ; export it with format=onnx, or serve it with `tandem serve`."
    )


def test_recordings_ensembles_and_large_models_are_refused(
    bundle: Bundle, compose_config: Compose, monkeypatch: pytest.MonkeyPatch
) -> None:
    features = make(compose_config("train", "features=log_mel").features)
    assert refused(with_reader(bundle, FileReader(features, spec={}))) == (
        "A web page reads texts and pictures, but this model's sources are of the kind audio; "
        "export it with format=onnx, or serve it with `tandem serve`."
    )
    several = replace(bundle, partners=(bundle.model,))
    assert refused(several) == "A web page holds one model, but `run` names 2; give one folder."
    monkeypatch.setattr(contents, "LARGEST", 1000)
    assert refused(bundle).startswith("A web page may hold 0 MB, but the model's weights have 0 MB")


@pytest.mark.parametrize("name", SCORERS)
def test_scorers_are_refused(bundle: Bundle, compose_config: Compose, name: str) -> None:
    scorers = make_each(compose_config("generate", "run=x", f"scorer={name}").scorer)
    decoding = replace(bundle.decoding, scorers=scorers)
    assert refused(replace(bundle, decoding=decoding)) == (
        f"A web page searches without {type(scorers[0]).__name__}, which this run's config has; "
        "export it with format=onnx, or serve it with `tandem serve`."
    )


@pytest.mark.parametrize("name", RULES)
def test_every_rule_is_known(bundle: Bundle, compose_config: Compose, name: str) -> None:
    cfg = compose_config("generate", "run=x", f"rule={name}")
    rules = make_each(OmegaConf.merge(cfg.rule, {name: TEXTS.get(name, {})}))
    decoding = replace(bundle.decoding, rules=rules).bind(bundle.processors.target)
    chosen = replace(bundle, decoding=decoding)
    check_web(chosen)
    (rule,) = page_data(chosen, description=DESCRIPTION, examples=[])["rules"]
    assert rule["kind"] == name


def test_the_search_of_the_page(bundle: Bundle, small_search: Callable[..., Any]) -> None:
    defaults = OmegaConf.to_container(OmegaConf.load(config_folder() / "search" / "beam.yaml"))
    assert defaults == {"_target_": "tandem.search.BeamSearch", **BEAM}
    for name, kind in (("greedy", "greedy"), ("beam", "beam"), ("sampling", "beam")):
        decoding = replace(bundle.decoding, search=small_search(name))
        data = page_data(replace(bundle, decoding=decoding), description=DESCRIPTION, examples=[])
        assert data["search"]["kind"] == kind
        assert data["search"]["width"] == (3 if name == "beam" else 5)


def test_examples_are_those_of_the_last_test(tmp_path: Path) -> None:
    assert examples_of(tmp_path, "text") == []
    rows = [
        {"split": split, "index": index, "source": f"{index}", "references": [text]}
        for split, index, text in (
            ("val", 0, "no"),
            ("test", 0, "old"),
            ("test", 1, "b"),
            ("test", 0, "a"),
        )
    ]
    lines = "".join(f"{json.dumps(row)}\n" for row in rows)
    (tmp_path / "samples.jsonl").write_text(lines)
    assert examples_of(tmp_path, "text") == [
        {"source": "0", "reference": "a"},
        {"source": "1", "reference": "b"},
    ]
    assert examples_of(tmp_path, "image") == []  # no copies of pictures
    (tmp_path / "media").mkdir()
    for place in range(2):
        (tmp_path / "media" / f"test-{place}.jpg").write_bytes(b"abc")
    assert examples_of(tmp_path, "image") == [
        {"source": "YWJj", "reference": "a"},
        {"source": "YWJj", "reference": "b"},
    ]
    (tmp_path / "samples.jsonl").write_text(f"{lines}broken")
    assert examples_of(tmp_path, "text") == []
