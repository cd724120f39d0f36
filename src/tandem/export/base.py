"""What every format promises, and which formats there are."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from tandem.core.errors import InputError, nearest
from tandem.core.extras import check_extra
from tandem.inference import Bundle
from tandem.models import Seq2Seq

FLOAT32, INT8 = "float32", "int8"


class Exporter(ABC):
    """Writes a trained model as what another program runs.

    :param run: the folder that it was read from.
    """

    weights: tuple[str, ...] = (FLOAT32,)
    """How it can write weights."""

    def __init__(self, run: Path) -> None:
        self.run = run

    @abstractmethod
    def check(self, bundle: Bundle) -> None:
        """Refuse a model that the format cannot hold, before any work.

        :raises InputError: in one sentence that names what the format lacks.
        """

    @abstractmethod
    def write(self, bundle: Bundle, folder: Path, *, weights: str) -> dict[str, Any] | None:
        """Write the model's files.

        :param bundle: on a CPU.
        :param folder: an empty one.
        :param weights: one of :attr:`weights`.
        :return: what a bundle's config says of them under ``export``, see
            :mod:`tandem.inference.exported`; None for what is no bundle and stands for itself.
        """

    def changes(self, bundle: Bundle) -> dict[str, Any]:
        """What the export's config says otherwise than the bundle's, by its keys."""
        return {}

    @abstractmethod
    def usage(self, output: Path) -> str:
        """One sentence: what the user does with the folder next."""


@dataclass(frozen=True)
class Format:
    """A format, before what it needs is imported."""

    path: str
    """Module and class of its exporter, with a colon between them."""
    extra: str = ""
    """Of ours, with which its packages are installed."""
    packages: tuple[str, ...] = ()


FORMATS = {
    "onnx": Format("graph_formats:ONNX", "onnx", ("onnx", "onnxruntime", "onnxscript")),
    "torch": Format("graph_formats:TorchPrograms"),
    "web": Format("web.exporter:WebPage", "onnx", ("onnx", "onnxruntime", "onnxscript")),
    "ctranslate2": Format("ctranslate2:CTranslate2", "ctranslate2", ("ctranslate2",)),
}
"""By their names on the command line; modules are of this package."""


def network(bundle: Bundle) -> Seq2Seq:
    """A bundle's model, which torch computes.

    :raises InputError: if it is an export itself.
    """
    if not isinstance(bundle.model, Seq2Seq):
        raise InputError("An export cannot be exported again; name the run that it was made of.")
    return bundle.model


def find_exporter(name: str, weights: str, run: Path) -> Exporter:
    """The exporter of a format for a run.

    :raises InputError: if there is none, it does not write such weights, or a package is missing.
    """
    if name not in FORMATS:
        raise InputError(
            f"`format` must be one of {', '.join(FORMATS)}, but is {name!r}"
            f"{nearest(name, FORMATS)}."
        )
    chosen = FORMATS[name]
    for package in chosen.packages:
        check_extra(
            chosen.extra, package, used_by=f"format={name}", otherwise="choose another format"
        )
    module, _, kind = chosen.path.partition(":")
    exporter: Exporter = getattr(import_module(f"tandem.export.{module}"), kind)(run)
    if weights not in exporter.weights:
        raise InputError(
            f"format={name} writes weights={' or '.join(exporter.weights)}, but got "
            f"weights={weights}; choose one of these, or another format."
        )
    return exporter
