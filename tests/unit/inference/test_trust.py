"""A bundle's config may name parts of a model and nothing else."""

import functools
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from tandem.attentions import AdditiveAttention
from tandem.config.folders import config_folder
from tandem.core.errors import InputError
from tandem.inference.trust import SECTIONS, build_trusted, resolve
from tandem.search import BeamSearch, GreedySearch

BEAM = {
    "_target_": "tandem.search.BeamSearch",
    "width": 2,
    "length_penalty": "none",
    "alpha": 1.0,
    "stop": "pool",
}


def refused(spec: Any, trusted: tuple[str, ...] = (), section: str = "search") -> str:
    with pytest.raises(InputError) as caught:
        build_trusted(spec, section, trusted)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_honest_parts_are_built() -> None:
    assert isinstance(build_trusted(BEAM, "search", ()), BeamSearch)
    factory = build_trusted(
        {"_target_": "tandem.attentions.AdditiveAttention", "_partial_": True, "size": 4},
        "model",
        (),
    )
    assert isinstance(factory(query_size=2, memory_size=3), AdditiveAttention)
    search = {"search": {"_target_": "tandem.search.GreedySearch"}}
    nested = build_trusted([search, 1, None], "search", ())
    assert isinstance(nested[0]["search"], GreedySearch)
    assert nested[1:] == [1, None]
    splits = build_trusted(
        {
            "_target_": "tandem.data.datasets.reverse",
            "size": 10,
            "max_length": 3,
            "symbols": 9,
            "seed": 0,
        },
        "dataset",
        (),
    )
    assert len(splits["train"]) == 10


@pytest.mark.parametrize(
    "target",
    [
        "os.system",
        "builtins.eval",
        "builtins.__import__",
        "subprocess.Popen",
        "functools.partial",
        "hydra.utils.instantiate",
        "hydra.utils.get_object",
        "torch.load",
        "torch.hub.load",
        "tandem.commands.train.train",
        "tandem.commands.cli.main",
        "tandem.config.launch.run",
        "tandem.config.instantiate.make",
        "tandem.config.build.instantiate",
        "tandem.inference.bundle.load_bundle",
        "tandem.inference.trust.build_trusted",
        "tandem.inference.trust.importlib.import_module",
        "tandem.inference.bundle.torch",
        "tandem.inference.bundle.torch.load",
        "tandem.inference.bundle.shutil",
        "tandem.inference.bundle.shutil.rmtree",
        "tandem.inference.bundle.os.system",
        "tandem.attentions.dot.InputError",
        "tandem.attentions.Attention",  # abstract
        "tandem.training.module.Seq2SeqModule",
        "tandem.data.module.DataModule",
        "tandem.core.files.write_atomically",
        "tandem.loggers.CSVLogger",
        "tandem.commands.console.logging.FileHandler",
        "tandem.config.launch.FULL_ERROR",
        "tandem.inference.trust.SECTIONS",
        "tandem.search.BeamSearch.__init__",
        "tandem.search.BeamSearch.__init__.__globals__",
        "tandem.search.__builtins__",
        "tandem.search.__loader__",
        "tandem_evil.Encoder",
        "tandem.evil.Encoder",
        "tandem..search.BeamSearch",
        ".tandem.search.BeamSearch",
        "tandem.search.BeamSearch ",
        "tandem",
        "",
        "BeamSearch",
        "../tandem/search.BeamSearch",
        7,
        None,
        True,
        ["os", "system"],
        {"_target_": "os.system"},
    ],
    ids=str,
)
@pytest.mark.parametrize("place", ["top", "list", "deep", "argument", "chained", "partial"])
def test_nothing_else_is_built(target: Any, place: str, tmp_path: Path) -> None:
    sentinel = tmp_path / "sentinel"
    hostile = {"_target_": target, "command": f"touch {sentinel}"}
    specs: dict[str, Any] = {
        "top": hostile,
        "list": [1, [hostile]],
        "deep": {"a": {"b": [{"c": hostile}]}},
        "argument": {**BEAM, "width": hostile},
        "chained": {"_target_": "tandem.search.GreedySearch", "x": {"_target_": target}},
        "partial": {**hostile, "_partial_": True},
    }
    for section in SECTIONS:
        assert "The bundle" in refused(specs[place], (), section)
    assert not sentinel.exists()
    assert "tandem_evil" not in sys.modules


def test_the_message_names_target_and_remedy() -> None:
    assert refused({"_target_": "os.system"}) == (
        "The bundle asks for 'os.system', which is not a part of a model in Tandem or in a trusted "
        "package; if it is your own, pass trusted=[its package], and else don't use the bundle."
    )


@pytest.mark.parametrize("key", ["_args_", "_recursive_", "_convert_", "_call_", "__class__"])
@pytest.mark.parametrize("deep", [False, True])
def test_keywords_of_hydra_are_refused(key: str, deep: bool) -> None:
    spec: Any = {key: ["touch sentinel"]} if deep else {**BEAM, key: ["touch sentinel"]}
    message = refused({"options": [spec]})
    assert message.startswith(f"The bundle's config holds the key {key!r}, which a bundle must not")


@pytest.mark.parametrize(
    "text", ["${oc.env:HOME}", "a ${b}", "${oc.create:{_target_:os.system}}", "${..search}"]
)
def test_interpolations_are_refused(text: str) -> None:
    for spec in (text, [text], {"a": {"b": [text]}}, {**BEAM, "length_penalty": text}):
        assert f"holds the interpolation {text!r}, which a bundle must not" in refused(spec)


def test_options_that_do_not_fit() -> None:
    message = refused({**BEAM, "depth": 3})
    assert message.startswith("The bundle's options for tandem.search.BeamSearch do not fit this ")


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A user's own package."""
    (tmp_path / "my_parts").mkdir()
    (tmp_path / "my_parts" / "__init__.py").write_text(
        "from pathlib import Path\n"
        "from os import system\n"
        "from subprocess import Popen\n"
        "from tandem.search import GreedySearch\n"
        "Path(__file__).with_name('imported').touch()\n"
        "class MySearch(GreedySearch):\n    pass\n"
        "class Other:\n    pass\n"
        "def function():\n    pass\n"
        "def make_search():\n    return GreedySearch()\n"
        "from torch import nn\n"
        "class Net(nn.Conv2d):\n"
        "    @classmethod\n    def from_name(cls, size):\n        return cls(3, size, 1)\n"
        "    @classmethod\n    def _hidden(cls, size):\n        return cls(3, size, 1)\n"
        "    @classmethod\n    def path_of(cls, size):\n        return Path(__file__)\n"
        "    def method(self, size):\n        pass\n"
        "def make_net(size):\n    return Net(3, size, 1)\n"
        "class Plain:\n    from_name = Net.from_name\n"
        "def splits(size):\n    return {'train': size}\n"
        "class Splits:\n    def __init__(self, size):\n        self.size = size\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    sys.modules.pop("my_parts", None)  # other tests have modules of this name
    yield "my_parts"
    sys.modules.pop("my_parts", None)


def test_a_trusted_package(package: str, tmp_path: Path) -> None:
    spec = {"_target_": "my_parts.MySearch"}
    assert "'my_parts.MySearch'" in refused(spec)
    assert not (tmp_path / "my_parts" / "imported").exists()  # refused before the import
    assert "'my_parts.MySearch'" in refused(spec, ("my_part", "my", "parts", "my_parts.MySearch"))
    assert not (tmp_path / "my_parts" / "imported").exists()
    assert type(build_trusted(spec, "search", (package,))).__name__ == "MySearch"


@pytest.mark.parametrize(
    ("trusted", "remedy"),
    [
        (("my_parts",), "importing my_parts does not import my_parts.deep.search; if that is your"),
        (("my_parts.deep",), "importing my_parts.deep does not import my_parts.deep.search; if "),
        (("my_parts.other",), "not a part of a model in Tandem or in a trusted package"),
        (("my_parts.deep.search.DeepSearch",), "not a part of a model in Tandem or in a trusted"),
        (("my_parts.deep.search",), None),
        (("my_parts", "my_parts.deep.search"), None),
    ],
)
def test_a_bundle_does_not_choose_which_modules_run(
    package: str, tmp_path: Path, trusted: tuple[str, ...], remedy: str | None
) -> None:
    deep = tmp_path / "my_parts" / "deep"
    deep.mkdir()
    (deep / "__init__.py").touch()
    (deep / "search.py").write_text(
        "from pathlib import Path\n"
        "from tandem.search import GreedySearch\n"
        "Path(__file__).with_name('imported').touch()\n"
        "class DeepSearch(GreedySearch):\n    pass\n"
    )
    spec = {"_target_": "my_parts.deep.search.DeepSearch"}
    if remedy is None:
        assert type(build_trusted(spec, "search", trusted)).__name__ == "DeepSearch"
    else:
        assert remedy in refused(spec, trusted)
        assert not (deep / "imported").exists()
    for name in [name for name in sys.modules if name.startswith("my_parts.")]:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("width", "2", "`width` must be int, but is '2'"),
        ("width", True, "`width` must be int, but is True"),
        ("width", None, "`width` must be int, but is None"),
        ("width", [2], "`width` must be int, but is [2]"),
        ("alpha", "1", "`alpha` must be float, but is '1'"),
        ("alpha", False, "`alpha` must be float, but is False"),
        ("length_penalty", 1, "`length_penalty` must be str, but is 1"),
        ("stop", {"a": 1}, "`stop` must be str, but is {'a': 1}"),
    ],
)
def test_options_of_another_type(key: str, value: Any, reason: str) -> None:
    assert refused({**BEAM, key: value}) == (
        f"The bundle's options for tandem.search.BeamSearch do not fit this version ({reason}); "
        "use the version of Tandem that wrote it."
    )


@pytest.mark.parametrize("name", ["Other", "function", "system", "Popen", "Path"])
def test_a_trusted_package_has_other_things_too(package: str, name: str) -> None:
    assert f"'my_parts.{name}'" in refused({"_target_": f"my_parts.{name}"}, (package,))


def test_a_trusted_packages_function_makes_a_part(package: str) -> None:
    spec = {"_target_": "my_parts.make_search"}
    assert "'my_parts.make_search'" in refused(spec)
    assert isinstance(build_trusted(spec, "search", (package,)), GreedySearch)
    factory = build_trusted({**spec, "_partial_": True}, "search", (package,))
    assert isinstance(factory(), GreedySearch)
    assert refused(spec, (package,), "features") == (
        "The bundle asks for 'my_parts.make_search', which makes a GreedySearch, but `features` "
        "takes Features; use the version of that package with which the bundle was trained."
    )


def module_spec(target: str, **options: Any) -> dict[str, Any]:
    """An encoder around a module of another package."""
    config = OmegaConf.load(config_folder() / "encoder" / "module.yaml")
    sizes = {"features": {"image_height": 4, "image_width": 4, "channels": 3}}
    root = OmegaConf.create({**sizes, "hidden_size": 8, "dropout": 0.0, "encoder": config})
    root.encoder.module = {"_target_": target, **options}
    spec = OmegaConf.to_container(root.encoder, resolve=True)
    assert isinstance(spec, dict)
    return {str(key): value for key, value in spec.items()}


@pytest.mark.parametrize("name", ["Net.from_name", "make_net"])
def test_a_module_of_a_trusted_package(package: str, name: str) -> None:
    spec = module_spec(f"my_parts.{name}", size=5)
    assert f"'my_parts.{name}'" in refused(spec, (), "model")
    encoder = build_trusted(spec, "model", (package,))(input_size=12)
    assert encoder.module.out_channels == 5


@pytest.mark.parametrize(
    "name",
    [
        "my_parts.Net._hidden",
        "my_parts.Net.method",
        "my_parts.Net.__init__",
        "my_parts.Net.forward",
        "my_parts.Net.from_name.__func__",
        "my_parts.Plain.from_name",  # of a class that is no module
        "my_parts.nn.Linear",  # of a package that is not trusted
        "my_parts.Other",
        "my_parts.system",
        "torch.nn.Conv2d",
        "tandem.layers.pixels.Pixels",  # a module of ours is no module of another package
        "tandem.encoders.CNNEncoder",
        "builtins.eval",
    ],
)
def test_nothing_else_is_a_module(package: str, name: str) -> None:
    assert "The bundle asks for" in refused(module_spec(name, size=5), (package,), "model")


def test_a_module_is_held_against_its_family(package: str) -> None:
    for name in ("path_of", "from_name"):
        spec = {"_target_": f"my_parts.Net.{name}", "size": 5}
        if name == "path_of":
            assert "makes a PosixPath, but `module` takes Module" in refused(
                module_spec(**{"target": spec["_target_"], "size": 5}), (package,), "model"
            )
        else:  # which stands inside a part alone
            assert "'my_parts.Net.from_name'" in refused(spec, (package,), "model")


@pytest.mark.parametrize("name", ["splits", "Splits"])
def test_a_trusted_packages_dataset(package: str, name: str) -> None:
    spec = {"_target_": f"my_parts.{name}", "size": 3}
    assert f"'my_parts.{name}'" in refused(spec, (), "dataset")
    assert build_trusted(spec, "dataset", (package,))


def test_resolve_gives_the_object_itself() -> None:
    assert resolve("tandem.search.BeamSearch", "search", ()) is BeamSearch
    assert resolve("tandem.search.beam.BeamSearch", "search", ()) is BeamSearch
    assert not isinstance(resolve("tandem.search.BeamSearch", "search", ()), functools.partial)


@pytest.mark.parametrize(
    ("section", "name"),
    [
        ("model", "tandem.data.datasets.reverse"),
        ("model", "tandem.search.GreedySearch"),
        ("search", "tandem.encoders.CNNEncoder"),
        ("metric", "tandem.data.datasets.multi30k"),
        ("dataset", "tandem.metrics.ExactMatch"),
        ("features", "tandem.frontends.TextFrontend"),
    ],
)
def test_a_name_must_fit_its_section(section: str, name: str) -> None:
    assert f"asks for '{name}'" in refused({"_target_": name}, (), section)
