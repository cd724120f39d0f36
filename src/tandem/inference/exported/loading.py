"""Opens an exported folder, of which nothing is believed."""

from collections.abc import Mapping
from typing import Any

import torch

from tandem.core.errors import InputError
from tandem.core.own_key import is_signed
from tandem.data.preprocessing import Processors
from tandem.inference.exported import ctranslate2
from tandem.inference.exported.description import Description
from tandem.inference.exported.model import ExportedModel
from tandem.inference.exported.runtimes import RUNTIMES, Graph
from tandem.inference.files import AGAIN, CONFIG
from tandem.inference.reading import BundleReader
from tandem.models.sequence_model import SequenceModel

TRUST = {
    "torch": ("torch.export", "programs of torch.export, which can run any code"),
    ctranslate2.FORMAT: (
        "ctranslate2",
        "weights for CTranslate2, which reads other memory where their sizes do not fit",
    ),
}
"""Of formats in which a file can do harm: what the caller names among what is trusted to open a
stranger's, and what is in it."""


def load_exported(reader: BundleReader, processors: Processors) -> SequenceModel:
    """The model of a bundle that has ``export`` in its config.

    :param processors: the bundle's.
    :raises InputError: if the section is unusable, a file is damaged, or the program that
        computes it is missing.
    """
    section = reader.config["export"]
    format = section.get("format") if isinstance(section, dict) else None
    if isinstance(format, str) and format in TRUST:
        _check_trust(reader, *TRUST[format])
    if format == ctranslate2.FORMAT:
        return ctranslate2.load_ctranslate2(reader, processors)
    if isinstance(format, str) and format not in RUNTIMES:
        known = ", ".join((*RUNTIMES, ctranslate2.FORMAT))
        raise InputError(
            f"The export {reader.folder} has the format {format!r:.40}, but this Tandem runs "
            f"{known}; use the Tandem that wrote it."
        )
    return _load_graphs(reader, vocabulary_size=processors.target.vocabulary_size)


def _load_graphs(reader: BundleReader, *, vocabulary_size: int) -> ExportedModel:
    """A model of graphs.

    :param vocabulary_size: V of the target's tokenizer.
    """
    try:
        description = Description.from_config(reader.config["export"])
    except ValueError as error:
        raise InputError(
            f"The file {reader.folder / CONFIG} lacks a usable `export` ({error}); {AGAIN}"
        ) from error
    runtime = RUNTIMES[description.format]()

    def open_graphs(device: torch.device) -> Mapping[str, Graph]:
        kinds = ", ".join(runtime.device_types())
        if device.type not in runtime.device_types():
            raise InputError(
                f"The export {reader.folder} can be computed here on {kinds}, not on a "
                f"{device.type} device; choose accelerator=cpu{runtime.remedy}."
            )
        return {
            name: runtime.open(reader.files, spec, device)
            for name, spec in description.graphs.items()
        }

    return ExportedModel(
        description,
        open_graphs,
        device_types=runtime.device_types(),
        vocabulary_size=vocabulary_size,
    )


def signed_part(config: Mapping[str, Any]) -> dict[str, Any]:
    """What of an export's config is signed: the graphs' description, and the digests of all files.

    By the signature this user's own exports are known on this machine; see
    :mod:`tandem.core.own_key`.
    """
    return {key: config[key] for key in ("export", "sha256")}


def _check_trust(reader: BundleReader, name: str, content: str) -> None:
    """Refuse files of somebody else's unless the caller trusts them.

    :param name: what the caller has to name.
    :param content: what is in the files.
    """
    own = is_signed(signed_part(reader.config), reader.config.get("export_signature"))
    if not own and name not in reader.trusted:
        raise InputError(
            f"The export {reader.folder} holds {content}, and was not made by you on this machine; "
            f"add trusted=[{name}] if you trust who made it, or ask for format=onnx."
        )
