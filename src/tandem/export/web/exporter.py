"""The format ``web``: one HTML file that runs a model in the browser."""

from pathlib import Path
from tempfile import TemporaryDirectory

from tandem.core.files import write_text
from tandem.export.base import FLOAT32, INT8, Exporter
from tandem.export.graph_formats import ONNX
from tandem.export.web.contents import check_size, check_web, examples_of, page_data
from tandem.export.web.engine import engine
from tandem.export.web.page import GRAPHS, render
from tandem.inference import Bundle
from tandem.inference.reading import run_folder


class WebPage(Exporter):
    """A page with the model's graphs, what runs them, and examples of the run's test split."""

    weights = (FLOAT32, INT8)

    def check(self, bundle: Bundle) -> None:
        """Only models of texts and pictures, without scorers; the engine must be there, too."""
        check_web(bundle)
        engine()

    def write(self, bundle: Bundle, folder: Path, *, weights: str) -> None:
        """See :class:`Exporter`."""
        with TemporaryDirectory(dir=folder, prefix=".graphs-") as part:
            description = ONNX(self.run).write(bundle, Path(part), weights=weights)
            files = description["graphs"]
            graphs = {name: (Path(part) / files[name]).read_bytes() for name in GRAPHS}
        check_size(sum(map(len, graphs.values())), "the model's graphs have")
        examples = examples_of(self._trained, bundle.processors.source.media)
        data = page_data(bundle, description=description, examples=examples)
        page = render(data, title=self._trained.name, graphs=graphs, engine=engine())
        write_text(folder / self._file, page)

    def usage(self, output: Path) -> str:
        """Any browser opens it."""
        return f"open {output / self._file} in a browser; the file needs nothing beside it"

    @property
    def _trained(self) -> Path:
        """The folder of the run, or of a bundle that lies elsewhere."""
        return run_folder(self.run)

    @property
    def _file(self) -> str:
        return f"{self._trained.name}.html"
