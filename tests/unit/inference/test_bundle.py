"""Bundles: whole, plain data, and refused if they are not."""

import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tandem.core.errors import InputError
from tandem.inference.bundle import CONFIG, load_bundle
from tandem.search.rules import Banned
from tandem.search.scorers import CoveragePenalty

FILES = ("model.safetensors", "source_tokenizer.json", "target_tokenizer.json")
Edit = Callable[[dict[str, Any]], Any]


@pytest.fixture
def write(small_bundle: Callable[..., Path]) -> Callable[..., Path]:
    """Write a bundle under a name."""
    texts = {"source": "a b c d", "target": "x y z", "max_length": 6}
    return lambda name, *, shared: small_bundle(name, shared=shared, **texts)


@pytest.fixture
def bundle(write: Callable[..., Path]) -> Path:
    return write("run/bundle", shared=False)


def edit(bundle: Path, change: Edit) -> None:
    config = json.loads((bundle / CONFIG).read_text())
    change(config)
    (bundle / CONFIG).write_text(json.dumps(config))


def refused(bundle: Path, trusted: tuple[str, ...] = ()) -> str:
    with pytest.raises(InputError) as caught:
        load_bundle(bundle, trusted=trusted)
    return str(caught.value)


@pytest.mark.parametrize("shared", [False, True])
def test_files(write: Callable[..., Path], tmp_path: Path, shared: bool) -> None:
    folder = write("bundle", shared=shared)
    names = {CONFIG, *FILES} - ({"source_tokenizer.json"} if shared else set())
    assert {path.name for path in folder.iterdir()} == names
    assert not list(tmp_path.glob(".*"))
    assert load_bundle(folder).processors.shared == shared


def test_what_is_loaded_is_what_was_saved(bundle: Path) -> None:
    again = load_bundle(bundle)
    other = load_bundle(bundle.parent)  # the run's folder
    assert again.max_length == 6
    assert not again.model.training
    assert again.generate(["a b", "c"]) == other.generate(["a b", "c"])
    assert again.generate([]) == []


def test_outputs_keep_their_order(bundle: Path) -> None:
    loaded = load_bundle(bundle)
    sources = ["a b c", "d", "a", "b c", "c c c c"]
    together = loaded.generate(sources, max_tokens=6)
    assert together == [loaded.generate([source])[0] for source in sources]


def test_a_second_save_replaces_the_first(write: Callable[..., Path], bundle: Path) -> None:
    assert write("run/bundle", shared=True) == bundle
    assert not (bundle / "source_tokenizer.json").exists()


def test_an_empty_source(bundle: Path) -> None:
    with pytest.raises(InputError) as caught:
        load_bundle(bundle).generate(["a", ""])
    assert str(caught.value) == "Source 2 is empty; every source needs some text."


def test_no_bundle(tmp_path: Path) -> None:
    assert refused(tmp_path) == (
        f"There is no bundle in {tmp_path}: neither config.json nor bundle/config.json exists "
        "there; give the folder of a finished run or of a bundle."
    )


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file(bundle: Path, name: str) -> None:
    (bundle / name).unlink()
    assert refused(bundle) == (
        f"The bundle's file {bundle / name} is missing; take the bundle from its run again."
    )


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("how", ["truncated", "empty", "changed"])
def test_a_damaged_file(bundle: Path, name: str, how: str) -> None:
    raw = (bundle / name).read_bytes()
    damaged = {"truncated": raw[:-9], "empty": b"", "changed": raw[:-3] + b"xyz"}[how]
    (bundle / name).write_bytes(damaged)
    if name == FILES[0] and how != "changed":  # which its header tells
        assert refused(bundle).startswith(f"The weights in {bundle / name} are damaged (")
        return
    assert refused(bundle) == (
        f"The bundle's file {bundle / name} is damaged: its SHA-256 is not the one in "
        "config.json; take the bundle from its run again."
    )


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff\xfe", b'{"format": "tandem-bundle", '])
def test_a_config_that_is_not_json(bundle: Path, raw: bytes) -> None:
    (bundle / CONFIG).write_bytes(raw)
    message = refused(bundle)
    assert message.startswith(f"The file {bundle / CONFIG} is damaged (")
    assert message.endswith("); take the bundle from its run again.")


@pytest.mark.parametrize("raw", ["[]", "7", "null", "{}", '{"format": "other"}'])
def test_a_config_of_something_else(bundle: Path, raw: str) -> None:
    (bundle / CONFIG).write_text(raw)
    assert refused(bundle) == (
        f"The file {bundle / CONFIG} is not a bundle's; give another folder."
    )


@pytest.mark.parametrize("version", [1, 3, "2", None])
def test_another_version(bundle: Path, version: Any) -> None:
    edit(bundle, lambda config: config.update(version=version, tandem="9.9"))
    assert refused(bundle) == (
        f"The bundle {bundle} has version {version!r}, but this Tandem reads version 2; use the "
        "Tandem that wrote it (9.9)."
    )


@pytest.mark.parametrize(
    "key",
    [
        "model",
        "search",
        "scorer",
        "rule",
        "source",
        "dataset",
        "metric",
        "max_length",
        "shared_vocabulary",
        "sha256",
    ],
)
@pytest.mark.parametrize("value", [None, "text", [1]])
def test_a_config_without_a_usable_key(bundle: Path, key: str, value: Any) -> None:
    edit(bundle, lambda config: config.update({key: value}))
    assert refused(bundle) == (
        f"The file {bundle / CONFIG} lacks a usable `{key}`; take the bundle from its run again."
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda config: config["model"].pop("encoder"),
        lambda config: config["model"].update(extra=1),
        lambda config: config["model"].update(encoder=5),
        lambda config: config["model"]["encoder"].pop("_partial_"),
        lambda config: config["model"]["encoder"].update(layers=2),
        lambda config: config["model"]["model"].update(tie_embeddings="no such"),
        lambda config: config["model"].update(model=[1]),
        lambda config: config["model"]["encoder"].update(hidden_size="four"),
        lambda config: config["model"]["encoder"].update(hidden_size=-4),
        lambda config: config["model"]["encoder"].update(hidden_size=8),  # dot: 8 and 4
        lambda config: config["model"]["frontend"].update(embedding_size=6),
        lambda config: config.update(search={"width": 3}),
    ],
)
def test_a_config_that_describes_no_model(bundle: Path, change: Edit) -> None:
    edit(bundle, change)
    assert refused(bundle)


@pytest.mark.parametrize(
    "source",
    [
        {},
        {"reader": None, "options": {}},
        {"reader": "tandem.data.readers.TextReader"},
        {"reader": "tandem.data.readers.TextReader", "options": None},
        {"reader": "tandem.data.readers.TextReader", "options": {}},
        {"reader": "tandem.data.readers.TextReader", "options": {"truncate": "3"}},
        {"reader": "tandem.data.readers.TextReader", "options": {"truncate": 3, "extra": 1}},
        *(
            {
                "reader": "tandem.data.readers.TextReader",
                "options": {"truncate": None, "before": None, "after": 2, **change},
            }
            for change in (
                {"truncate": 0},
                {"truncate": -3},
                {"truncate": 10**30},
                {"before": -1},
                {"after": 10**6},
            )
        ),
        {"reader": "tandem.data.readers.FileReader", "options": {}},
        {"reader": "tandem.data.readers.FileReader", "options": {"features": None}},
        {"reader": "tandem.data.readers.FileReader", "options": {"features": {"media": "text"}}},
        {
            "reader": "tandem.data.readers.FileReader",
            "options": {"features": {"_target_": "tandem.data.features.PixelFeatures"}},
        },
    ],
    ids=str,
)
def test_a_config_that_describes_no_reader(bundle: Path, source: dict[str, Any]) -> None:
    edit(bundle, lambda config: config.update(source=source))
    assert "bundle" in refused(bundle)


def test_weights_are_never_unpickled(bundle: Path, tmp_path: Path) -> None:
    sentinel = tmp_path / "sentinel"

    class Payload:
        def __reduce__(self) -> Any:
            return os.system, (f"touch {sentinel}",)

    import hashlib

    weights = bundle / "model.safetensors"
    for write_pickle in (
        lambda: weights.write_bytes(pickle.dumps(Payload())),
        lambda: torch.save({"payload": Payload()}, weights),
    ):
        write_pickle()
        digest = hashlib.sha256(weights.read_bytes()).hexdigest()
        edit(bundle, lambda config: config["sha256"].update({weights.name: digest}))  # noqa: B023
        assert refused(bundle).startswith(f"The weights in {weights} are damaged (")
        assert not sentinel.exists()


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "..", "", "config.json"])
def test_paths_under_sha256_lead_nowhere(bundle: Path, name: str) -> None:
    edit(bundle, lambda config: config["sha256"].update({name: "0" * 64}))
    assert load_bundle(bundle)  # no other file is ever read


@pytest.mark.parametrize("digest", [None, "", 7, ["a"]])
def test_a_digest_that_is_none(bundle: Path, digest: Any) -> None:
    edit(bundle, lambda config: config["sha256"].update({FILES[0]: digest}))
    assert "is damaged: its SHA-256 is not the one" in refused(bundle)


HOSTILE = {"_target_": "os.system", "command": "touch sentinel"}
FILES_READER = "tandem.data.readers.FileReader"


@pytest.mark.parametrize(
    "change",
    [
        lambda config: config.update(search=HOSTILE),
        lambda config: config.update(source=HOSTILE),
        lambda config: config["source"].update(reader="os.system"),
        lambda config: config["source"].update(reader="tandem.encoders.RecurrentEncoder"),
        lambda config: config.update(
            source={"reader": FILES_READER, "options": {"features": HOSTILE}}
        ),
        lambda config: config["model"].update(encoder=HOSTILE),
        lambda config: config["model"]["decoder"].update(attention=HOSTILE),
        lambda config: config["model"]["decoder"]["attention"].update(size=[HOSTILE]),
        lambda config: config["model"]["model"].update(dropout=HOSTILE),
        lambda config: config["model"]["encoder"].update(cell="${oc.env:HOME}"),
        lambda config: config["model"]["encoder"].update(_args_=[1]),
        lambda config: config["model"].update({"_target_": "os.system"}),
        lambda config: config["model"]["model"].update({"_target_": "os.system"}),
    ],
)
def test_a_hostile_config_runs_nothing(
    bundle: Path, change: Edit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(bundle)
    edit(bundle, change)
    assert "bundle" in refused(bundle)
    assert not (bundle / "sentinel").exists()


def test_a_class_of_ones_own(bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_parts.py").write_text(
        "from tandem.core.types import Hypothesis\n"
        "from tandem.search import Search\n"
        "class OwnSearch(Search):\n"
        "    width = 1\n"
        "    def __call__(self, step, state, *, first, max_length):\n"
        "        best = step.scores(first, state)[0].argmax(1).tolist()\n"
        "        return [[Hypothesis([token], 0.0)] for token in best]\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    search = {"_target_": "own_parts.OwnSearch"}
    edit(bundle, lambda config: config.update(search=search))
    assert "pass trusted=[its package]" in refused(bundle)
    loaded = load_bundle(bundle, trusted=["own_parts"])
    assert type(loaded.decoding.search).__name__ == "OwnSearch"
    assert loaded.generate(["a"])


@pytest.mark.parametrize("key", ["scorer", "rule"])
@pytest.mark.parametrize("value", [{"one": 5}, {"one": {"a": 5}}])
def test_a_part_that_is_none(bundle: Path, key: str, value: Any) -> None:
    edit(bundle, lambda config: config.update({key: value}))
    assert f"lacks a usable `{key}`" in refused(bundle)


def test_scorers_and_rules_come_back_bound(bundle: Path) -> None:
    text = load_bundle(bundle).processors.target.decode([4, 5])
    rule = {"banned": {"_target_": "tandem.search.rules.Banned", "sequences": [text]}}
    penalty = {"_target_": "tandem.search.scorers.CoveragePenalty", "penalty": 0.2}
    edit(bundle, lambda config: config.update(scorer={"coverage": penalty}, rule=rule))
    loaded = load_bundle(bundle)
    (scorer,), (banned,) = loaded.decoding.scorers, loaded.decoding.rules
    assert isinstance(scorer, CoveragePenalty)
    assert isinstance(banned, Banned)
    assert banned.sequences == [[4, 5]]
    assert loaded.generate(["a b"])
