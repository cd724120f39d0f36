"""Who may look into whom: the house has one direction, read from the files themselves."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "tandem"
FILES = sorted(PACKAGE.rglob("*.py"))

FAMILIES = ("frontends", "encoders", "decoders")
FLOORS = {
    "core": set(),
    "layers": {"core"},
    "pretrained": {"core"},
    "attentions": {"layers", "core"},
    "bridges": {"layers", "core"},
    "frontends": {"layers", "pretrained", "core"},
    "encoders": {"layers", "pretrained", "core"},
    "decoders": {"attentions.base", "bridges.base", "layers", "pretrained", "core"},
    "models": {*(f"{family}.base" for family in FAMILIES), "layers", "core"},
    "search": {"models", "core"},
    "metrics": {"core"},
    "reports": {"core"},
    "data": {"pretrained", "core"},
}
"""For each folder what it may import beside itself: a folder, or one module of it."""
USES = {*FLOORS, "inference"}
"""What is enough to use a trained model; ``inference`` itself takes no reports."""
ALLOWED = {
    **FLOORS,
    "sweeps": {"reports", "core"},
    "inference": {*FLOORS} - {"reports"},
    "testing": {*USES} - {"reports"},
    "export": {*USES} - {"reports"},
    "serving": {*USES} - {"reports"},
    "loggers": {"core"},
    "training": {*USES, "loggers"} - {"reports"},
    "callbacks": {*USES, "training", "loggers"},
    "config": {*USES, "loggers", "training", "callbacks"},
    "commands": {
        *USES,
        "export",
        "serving",
        "loggers",
        "training",
        "callbacks",
        "config",
        "sweeps",
    },
}
SHARED_BY_COMMANDS = {
    "commands.arguments",
    "commands.cli",
    "commands.console",
    "commands.files",
    "commands.help",
    "commands.windows",
}
"""What stands beside the commands, of which none imports another."""

SIBLINGS_APART = (
    "frontends",
    "encoders",
    "decoders",
    "attentions",
    "bridges",
    "search",
    "search/rules",
    "search/scorers",
    "metrics",
)
CONFIG_READERS = ("config/", "commands/")
LIGHTNING_USERS = ("training/", "callbacks/", "loggers/", "data/module.py", "config/", "commands/")


@cache
def imports(path: Path) -> frozenset[str]:
    """Every module that a file imports, wherever it does; ``from a import b`` gives both."""
    return frozenset(_imports(path))


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def name(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def own_imports(path: Path) -> set[str]:
    """Modules of ours that a file imports, without the leading ``tandem.``."""
    ours = (module for module in imports(path) if module.startswith("tandem."))
    found = {module.removeprefix("tandem.") for module in ours}
    return {
        module
        for module in found
        if (PACKAGE / f"{module.replace('.', '/')}.py").is_file()
        or (PACKAGE / module.replace(".", "/") / "__init__.py").is_file()
    }


def implementations(folder: str) -> set[str]:
    """The members that a family shows to the world, without its base."""
    shown, family = own_imports(PACKAGE / folder / "__init__.py"), folder.replace("/", ".")
    return {module for module in shown if module.startswith(f"{family}.")} - {f"{family}.base"}


FOLDERS = sorted({name(path).split("/")[0] for path in FILES if "/" in name(path)})


def test_every_folder_has_its_place() -> None:
    assert set(FOLDERS) == set(ALLOWED), "say here what a new folder may import"


@pytest.mark.parametrize("folder", FOLDERS)
def test_imports_point_one_way(folder: str) -> None:
    allowed = {folder, *ALLOWED[folder]}
    bad = {
        name(path): module
        for path in (PACKAGE / folder).rglob("*.py")
        for module in own_imports(path)
        if not any(module == one or module.startswith(f"{one}.") for one in allowed)
    }
    assert bad == {}


def test_commands_do_not_import_each_other() -> None:
    bad = {
        name(path): module
        for path in (PACKAGE / "commands").glob("*.py")
        for module in own_imports(path)
        if module.startswith("commands.") and module not in SHARED_BY_COMMANDS
    }
    assert bad == {}


@pytest.mark.parametrize("folder", SIBLINGS_APART)
def test_family_members_do_not_know_each_other(folder: str) -> None:
    members = implementations(folder)
    assert members
    for path in (PACKAGE / folder).glob("*.py"):
        if path.name != "__init__.py":
            assert own_imports(path) & members == set(), f"{name(path)} imports a sibling"


def test_outside_libraries_stay_at_the_edges() -> None:
    for path in FILES:
        roots, file = {module.split(".")[0] for module in imports(path)}, name(path)
        if file != "loggers/wandb_logger.py":
            assert "wandb" not in roots, f"{file}: W&B is reached through Lightning's logger"
        if not file.startswith(CONFIG_READERS):
            assert roots & {"hydra", "omegaconf"} == set(), file
        if "/" in file and not file.startswith(LIGHTNING_USERS):
            assert roots & {"lightning", "pytorch_lightning"} == set(), file


def test_the_reader_sees_imports(tmp_path: Path) -> None:
    path = tmp_path / "example.py"
    path.write_text("import a.b\ndef f():\n    from tandem.core import errors as e\n")
    assert imports(path) == {"a.b", "tandem.core", "tandem.core.errors"}
    assert own_imports(path) == {"core", "core.errors"}
