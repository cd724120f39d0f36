"""The language model that a scorer asks: read from its folder, and kept inside a bundle."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import pytest
import torch

from tandem.commands.generate import generate
from tandem.config.bundles import with_decoding
from tandem.core.errors import InputError
from tandem.data.tokenizers import PretrainedTokenizer
from tandem.export.base import Exporter
from tandem.export.folder import write_export
from tandem.inference.bundle import load_bundle, save_bundle
from tandem.inference.ensemble import load_bundles

SOURCES = ["a b c", "d", "c c a b"]


def spec(path: Path) -> dict[str, object]:
    return {
        "_target_": "tandem.search.scorers.LanguageModelScorer",
        "path": str(path),
        "weight": 2.0,
        "internal_weight": 0.5,
    }


@pytest.fixture
def fused(small_bundle, small_language_model, tmp_path: Path) -> Path:
    """A bundle with a language model inside, whose own folder is gone."""
    plain, language_model = load_bundle(small_bundle("plain")), small_language_model("other")
    config = {**plain.config, "scorer": {"language_model": spec(language_model)}}
    save_bundle(
        tmp_path / "fused",
        model=plain.model,
        processors=plain.processors,
        max_length=5,
        config=config,
    )
    shutil.rmtree(language_model)
    return tmp_path / "fused"


def chosen(compose_config, run: Path, language_model: Path, *overrides: str):
    return compose_config(
        "generate",
        f"run={run}",
        "scorer=language_model",
        f"scorer.language_model.path={language_model}",
        "scorer.language_model.weight=2",
        "scorer.language_model.internal_weight=0.5",
        *overrides,
    )


def test_a_bundle_holds_its_language_model(
    fused, small_bundle, small_language_model, compose_config
) -> None:
    cfg = chosen(compose_config, small_bundle("one"), small_language_model("again"))
    alone = load_bundle(cfg.run)
    expected = with_decoding(alone, cfg).hypotheses(SOURCES)
    assert load_bundle(fused).hypotheses(SOURCES) == expected != alone.hypotheses(SOURCES)
    assert str(fused.parent) not in (fused / "config.json").read_text()


def test_a_damaged_language_model_is_refused(fused) -> None:
    inside = fused / "scorers/language_model/config.json"
    config = json.loads(inside.read_text())
    inside.write_text(json.dumps(config | {"max_length": 9}))
    with pytest.raises(InputError, match=r"scorers/language_model/config\.json is damaged"):
        load_bundle(fused)


def test_a_bundle_s_language_model_is_inside_of_it(fused, small_language_model) -> None:
    """Whatever its config says."""
    outside = small_language_model("outside")
    config = json.loads((fused / "config.json").read_text())
    for name, path in (("../../outside", None), ("language_model", str(outside))):
        config["scorer"] = {name: {**config["scorer"].popitem()[1], "path": path}}
        (fused / "config.json").write_text(json.dumps(config))
        if path is None:
            with pytest.raises(InputError, match="outside of the bundle"):
                load_bundle(fused)
        else:
            shutil.rmtree(outside)
            load_bundle(fused)


def test_an_export_holds_it_too(fused, tmp_path) -> None:
    exporter = Mock(spec=Exporter)
    exporter.write.return_value = {}
    exporter.changes.return_value = {}
    write_export(load_bundle(fused), fused, tmp_path / "out", exporter, weights="float32")
    inside = "scorers/language_model"
    names = {path.name for path in (fused / inside).iterdir()}
    assert {path.name for path in (tmp_path / "out" / inside).iterdir()} == names
    assert "model.safetensors" in names


def test_several_models_share_it(small_bundle, small_language_model, compose_config) -> None:
    folders = [small_bundle("one"), small_bundle("two", seed=1)]
    cfg = chosen(compose_config, folders[0], small_language_model("lm"))
    together = with_decoding(load_bundles(folders), cfg)
    assert together.generate(SOURCES) != load_bundles(folders).generate(SOURCES)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("other_symbols", r"has another vocabulary than the outputs.*tokenizer\.path=RUN"),
        ("translator", r"reads a source, but a scorer asks a language model; name a run that was"),
        ("missing", r"^There is no bundle in"),
    ],
)
def test_what_cannot_be_asked(
    small_bundle, small_language_model, compose_config, tmp_path, name, message
) -> None:
    run = small_bundle("run")
    small_language_model("other_symbols", target="w x y")
    small_bundle("translator")
    with pytest.raises(InputError, match=message):
        generate(chosen(compose_config, run, tmp_path / name, "input=x.txt"))


@torch.inference_mode()
def test_without_weight_nothing_changes(small_bundle, small_language_model, compose_config) -> None:
    cfg = chosen(compose_config, small_bundle("one"), small_language_model("lm"))
    cfg.scorer.language_model.weight = cfg.scorer.language_model.internal_weight = 0.0
    alone = load_bundle(cfg.run)
    fused = replace(with_decoding(alone, cfg))
    assert fused.generate(SOURCES) == alone.generate(SOURCES)


def test_a_language_model_takes_the_vocabulary_of_a_run(small_bundle) -> None:
    folder = small_bundle("run")
    recipe = PretrainedTokenizer(path=str(folder), shared=False)
    assert recipe.read().to_json() == load_bundle(folder).processors.target.to_json()
    (folder / "target_tokenizer.json").write_text("{")
    with pytest.raises(InputError, match=r"target_tokenizer\.json is damaged"):
        recipe.read()
