"""Keys, options and files that ``docs/learn`` and ``docs/reference`` name within lines exist."""

import re
import shlex
import sys

import pytest
from documents import DOCUMENTS, ROOT, blocks, read

from tandem.config.catalogue import config_groups, read_option, view

sys.path.append(str(ROOT / "benchmarks"))
from lesson_models import MODELS

PAGES = [page for page in DOCUMENTS if page.startswith(("docs/learn/", "docs/reference/"))]
COMMANDS = ("train", "generate", "evaluate", "score")


def spans(page):
    """What stands in backticks within lines."""
    text = re.sub(r"^```.*?^```", "", read(page), flags=re.MULTILINE | re.DOTALL)
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", text)]


@pytest.fixture(scope="module")
def groups():
    return config_groups()


@pytest.fixture(scope="module")
def keys(groups):
    """All keys of all options, and those of the commands."""
    found = {name for command in COMMANDS for name in view(command).entries}
    for group, options in groups.items():
        for option in options:
            file = read_option(group, option)
            found |= {name if file.is_global else f"{group}.{name}" for name in file.entries}
    return found


@pytest.mark.parametrize("page", PAGES)
def test_keys_and_options_exist(page, groups, keys):
    for span in spans(page):
        for word in shlex.split(span) if "=" in span else ():
            if not re.fullmatch(r"[a-z_]\w*(@[\w.]+)?(\.\w+)*=.*", word):
                continue
            name, _, value = word.partition("=")
            group = name.partition("@")[0]
            assert group in groups or name in keys, span
            if group in groups and value not in ("", "null"):
                assert set(value.strip("[]").split(",")) <= set(groups[group]), span


@pytest.mark.parametrize("page", PAGES)
def test_files_exist(page):
    for span in spans(page):
        if re.fullmatch(r"[\w/]+\.py", span):
            assert (ROOT / "src/tandem" / span).is_file() or (ROOT / span).is_file(), span


def test_figures_have_the_models_that_their_pages_name():
    lines = [line for page in PAGES for block in blocks(page, "sh") for line in block.splitlines()]
    named = [line for line in lines if "run.folder=outputs/lessons/" in line]
    assert named
    for line in named:
        options, _, name = line.partition(" run.folder=outputs/lessons/")
        model = MODELS[name].format(folder="outputs/lessons")
        assert set(shlex.split(options)) == {"tandem", "train", *shlex.split(model)}
