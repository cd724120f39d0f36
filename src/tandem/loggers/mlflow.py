"""MLflow, in a database beside the runs unless asked."""

import re
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import MLFlowLogger
from lightning.pytorch.utilities import rank_zero_only

from tandem.core.types import Evaluated
from tandem.loggers.base import ReadMedia, as_markdown, is_first_process, keep_id, read_id

SQLITE = "sqlite:///"


class MLflow(MLFlowLogger):
    """Lightning's logger; a resumed run goes on in its MLflow run, by the id in ``mlflow.txt``.

    :param experiment: what the run is shown together with.
    :param name: name of the run there.
    :param tracking_uri: where runs are kept: a database as ``sqlite:///file``, or a server.
    :param artifacts: a folder for pictures and texts; None: where the server has them.
    :param folder: the run's folder.
    """

    def __init__(
        self, *, experiment: str, name: str, tracking_uri: str, artifacts: str | None, folder: str
    ) -> None:
        if tracking_uri.startswith(SQLITE):
            Path(tracking_uri.removeprefix(SQLITE)).parent.mkdir(parents=True, exist_ok=True)
        self._id_file = Path(folder) / "mlflow.txt"
        super().__init__(
            experiment_name=experiment,
            run_name=name,
            tracking_uri=tracking_uri,
            artifact_location=None if artifacts is None else str(Path(artifacts).resolve()),
            run_id=read_id(self._id_file) if is_first_process() else None,
        )

    @rank_zero_only
    def log_hyperparams(self, params: dict[str, Any] | Namespace) -> None:
        """Take settings; those that a run has already stay as they are, as MLflow wants it."""
        assert self.run_id is not None
        keep_id(self._id_file, self.run_id)
        known = self.experiment.get_run(self.run_id).data.params
        settings = flatten(params if isinstance(params, dict) else vars(params))
        super().log_hyperparams({k: v for k, v in settings.items() if k not in known})

    @rank_zero_only
    def log_picture(self, key: str, path: Path, step: int) -> None:
        """Keep a PNG file as an artifact, in the place of the one before."""
        self.experiment.log_artifact(self.run_id, str(path), str(Path(key).parent))

    @rank_zero_only
    def log_samples(self, key: str, rows: Evaluated, media: ReadMedia, step: int) -> None:
        """Keep example outputs as an artifact, in the place of those before."""
        self.experiment.log_text(self.run_id, as_markdown(rows), f"{key}.md")

    @rank_zero_only
    def finish(self, exit_code: int) -> None:
        """Say how the run ended."""
        self.experiment.set_terminated(self.run_id, "FAILED" if exit_code else "FINISHED")


def flatten(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """A name with dots for each value, of the characters that MLflow takes."""
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        name = f"{prefix}{re.sub(r'[^-a-zA-Z0-9_. :/]', '_', str(key))}"
        flat |= flatten(value, f"{name}.") if isinstance(value, Mapping) else {name: value}
    return flat
