"""The documents' Python blocks run as they are written there, and their links lead somewhere."""

import html
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from documents import DOCUMENTS, ROOT, generated_pages, hook, numbered_blocks, read
from omegaconf import DictConfig, OmegaConf

from tandem.commands.export import export
from tandem.commands.help import COMMANDS
from tandem.commands.train import train
from tandem.config.catalogue import config_groups, read_option, view

EXTENDING = "docs/guides/extending.md"
TESTED_ELSEWHERE = (EXTENDING, "docs/tutorials/")
"""Their blocks are files, which ``test_extending.py`` and ``test_tutorials.py`` run."""
PAGES = [
    page
    for page in DOCUMENTS
    if not page.startswith(TESTED_ELSEWHERE) and numbered_blocks(page, "python")
]
NOT_RUN = {"docs/guides/export.md": 1}
"""How many blocks of a page are marked as ``<!-- not run: REASON -->`` on the line above them."""
TINY = (
    *("dataset=scan", "hidden_size=16", "batching.max_sentences=64", "batching.max_tokens=1000"),
    *("encoder=transformer", "decoder=transformer", "attention=multi_head"),
    *("trainer=cpu", "trainer.max_steps=60", "trainer.limit_val_batches=1"),
    *("trainer.limit_test_batches=1", "optimizer.lr=0.01", "logger=csv"),
    "callbacks.attention_maps.count=0",
)
"""What makes ``outputs/mine`` of the documents: SCAN's words, and steps for a second."""


@pytest.fixture(scope="session")
def reader_folder(
    tmp_path_factory: pytest.TempPathFactory,
    compose_config: Callable[..., DictConfig],
) -> Path:
    """A folder with ``outputs/mine``, a run with an export, as the documents take for granted."""
    folder = tmp_path_factory.mktemp("reader")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TANDEM_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
        patch.chdir(folder)
        train(compose_config("train", *TINY, "run.folder=outputs/mine"))
        export(compose_config("export", "run=outputs/mine", "format=ctranslate2", "weights=int8"))
    return folder


@pytest.mark.parametrize("page", PAGES)
def test_python_runs_from_top_to_bottom(
    page: str,
    reader_folder: Path,
    write_examples: Callable[[str, Path], list[Path]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for path in write_examples(read(EXTENDING), reader_folder):  # my_parts and so on
        monkeypatch.delitem(sys.modules, path.stem, raising=False)
    monkeypatch.chdir(reader_folder)
    monkeypatch.syspath_prepend(reader_folder)
    monkeypatch.setenv("MPLBACKEND", "agg")
    module = ModuleType("page")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    not_run = 0
    for line, code, above in numbered_blocks(page, "python"):
        if re.fullmatch(r"<!-- not run: \w.+ -->", above):
            not_run += 1
            continue
        exec(compile("\n" * (line - 1) + code, ROOT / page, "exec"), module.__dict__)
    assert not_run == NOT_RUN.get(page, 0)


def anchors(text: str) -> set[str]:
    """What a link can name of a document: its headings."""
    headings = re.findall(r"^#+ (.*)", text, re.MULTILINE)
    own = {match[1] for heading in headings if (match := re.search(r"\{ #(\S+) \}$", heading))}
    return own | {re.sub(r"[^\w -]", "", one).lower().replace(" ", "-") for one in headings}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", read(document)) if "://" not in link]
    for link in links:
        file, _, anchor = link.partition("#")
        path = os.path.normpath((ROOT / document).parent / file) if file else ROOT / document
        generated = generated_pages().get(Path(path).relative_to(ROOT).as_posix(), "")
        assert generated or Path(path).exists(), link
        assert not anchor or anchor in anchors(generated or Path(path).read_text("utf-8")), link


def test_every_group_option_and_key_has_its_place_in_the_reference() -> None:
    pages = generated_pages()
    for group, options in config_groups().items():
        page = pages[f"docs/reference/config/{group}.md"]
        for option in options:
            section = page.split(f"\n## {option} {{ #")[1].split("\n## ")[0]
            file = read_option(group, option)
            assert all(line in html.unescape(plain(section)) for line in file.summary)
            for name in (one.name for one in file.entries.values() if one.comment):
                assert re.search(rf"^\| `([\w@]+\.)?{name}` \|", section, re.MULTILINE), name
    for command in (name for name in COMMANDS if name != "completion"):
        section = pages["docs/reference/commands.md"].split(f"\n## tandem {command}\n")[1]
        for entry in view(command).of_command():
            row = f"\n| `{entry.name}` | "
            assert entry.is_section or row in section.split("\n## ")[0], entry.name


def plain(text: str) -> str:
    """Markdown without what keeps it from being read as markup, and in one line."""
    return re.sub(r"\\(.)", r"\1", text.replace("\n", " "))


def test_sweeps_own_keys_are_in_their_table() -> None:
    config = OmegaConf.load(ROOT / "conf/sweep.yaml")
    keys = {str(key) for key in config} - {"defaults", "file", "hydra"}
    assert set(re.findall(r"^\| `(\w+)` \|", read("docs/guides/sweeps.md"), re.MULTILINE)) == keys


def test_formulas_and_commands_in_cells_are_prepared_for_the_page() -> None:
    page = '<p><span class="arithmatex">\\(a &lt; b\\)</span></p><td><code>{}</code></td>'
    made = hook("content").on_page_content(page.format("tandem train dataset=scan seed=1"))
    assert "<mi>a</mi><mo>&#x0003C;</mo><mi>b</mi>" in made
    assert '<td class="long"><code>tandem' in made
    assert "<td><code>short" in hook("content").on_page_content(page.format("short"))
