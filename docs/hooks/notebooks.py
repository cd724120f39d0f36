"""Makes a page of each notebook while the site is built, of its texts and its code."""

import json
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add a page beside each notebook."""
    for notebook in [file for file in files if file.src_uri.endswith(".ipynb")]:
        name = notebook.src_uri.removesuffix(".ipynb")
        text = page(Path(config.docs_dir) / notebook.src_uri)
        files.append(File.generated(config, f"{name}.md", content=text))
    return files


def page(path: Path) -> str:
    """The cells of a notebook as Markdown, with a line below the title on how to run them."""
    title, *others = json.loads(path.read_text(encoding="utf-8"))["cells"]
    heading, _, rest = "".join(title["source"]).partition("\n")
    note = (
        f"*This page is the notebook [{path.name}]({path.name}) without outputs; "
        "[Notebooks](index.md) says how to run it.*"
    )
    return "\n\n".join([heading, note, rest.strip(), *map(_markdown, others)]) + "\n"


def _markdown(cell: dict[str, Any]) -> str:
    source = "".join(cell["source"])
    return source if cell["cell_type"] == "markdown" else f"```python\n{source}\n```"
