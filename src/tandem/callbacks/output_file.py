"""All outputs of the test split, for what compares runs row by row."""

from pathlib import Path

import lightning as L

from tandem.callbacks.evaluated_rows import Split
from tandem.callbacks.onlooker import RowsOnlooker
from tandem.core.files import write_text
from tandem.core.lines import json_line
from tandem.core.types import Evaluated


class OutputFile(RowsOnlooker):
    """Writes ``test.jsonl``: a line with source, references and hypothesis for each row.

    :param folder: the run's folder.
    """

    def __init__(self, *, folder: str) -> None:
        super().__init__(count=None)
        self.path = Path(folder) / "test.jsonl"

    def use(
        self, trainer: L.Trainer, pl_module: L.LightningModule, split: Split, rows: Evaluated
    ) -> None:
        """Write the test split's rows."""
        if split != "test" or not trainer.is_global_zero:
            return
        columns = zip(rows.sources, rows.references, rows.hypotheses, strict=True)
        lines = (
            json_line({"source": source, "references": references, "hypothesis": hypothesis})
            for source, references, hypothesis in columns
        )
        write_text(self.path, "".join(f"{line}\n" for line in lines))
