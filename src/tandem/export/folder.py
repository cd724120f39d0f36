"""An exported model's folder: a bundle with another program's files in the place of its weights."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

from tandem.core.files import unused_name, write_text
from tandem.core.own_key import signature
from tandem.export.base import Exporter
from tandem.inference import Bundle
from tandem.inference.exported import signed_part
from tandem.inference.files import CONFIG, BundleFiles, digests
from tandem.inference.reading import bundle_folder
from tandem.inference.weights import WEIGHTS


def write_export(
    bundle: Bundle, run: Path, output: Path, exporter: Exporter, *, weights: str
) -> dict[str, int]:
    """Write an export; its folder is complete or not there.

    :param run: the folder that the bundle was read from.
    :param output: the folder to be made.
    :return: bytes of each of its files.
    :raises InputError: if the format cannot hold the model.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    part = unused_name(output)
    part.mkdir()
    try:
        section = exporter.write(bundle, part, weights=weights)
        if section is not None:
            _copy_other_files(BundleFiles(bundle_folder(run), bundle.config["sha256"]), part)
            _write_config(part, bundle.config | exporter.changes(bundle) | {"export": section})
        os.rename(part, output)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    files = sorted(path for path in output.rglob("*") if path.is_file())
    return {path.relative_to(output).as_posix(): path.stat().st_size for path in files}


def _copy_other_files(files: BundleFiles, folder: Path) -> None:
    """Copy all but the weights: tokenizers, models that scorers ask, what an own reader keeps."""
    for name in files.digests or {}:
        if name != WEIGHTS and ".." not in Path(name).parts and not Path(name).is_absolute():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(files.read(name))


def _write_config(folder: Path, config: dict[str, Any]) -> None:
    config["sha256"] = digests(folder)
    config["export_signature"] = signature(signed_part(config))
    write_text(folder / CONFIG, json.dumps(config, indent=2))
