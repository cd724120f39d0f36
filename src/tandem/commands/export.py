"""Writes a trained model for other programs: ONNX, torch.export and others."""

import logging
from pathlib import Path

from omegaconf import DictConfig

from tandem.commands import console
from tandem.config.bundles import runs
from tandem.config.instantiate import check_values
from tandem.core.errors import InputError
from tandem.export.base import find_exporter
from tandem.export.folder import write_export
from tandem.inference import load_bundle
from tandem.inference.files import CONFIG

logger = logging.getLogger(__name__)


def export(cfg: DictConfig, command: str = "") -> Path:
    """Write the bundle of ``cfg.run`` in ``cfg.format``.

    :param cfg: a composed ``export`` config.
    :param command: unused; every command gets the line that repeats it.
    :return: the folder that was made.
    :raises InputError: if the bundle is unusable, the format cannot hold it, or the output exists.
    """
    console.set_up(None)
    check_values(cfg)
    if len(runs(cfg)) != 1:
        raise InputError(f"`run` must be one folder here, but is {cfg.run}; export each alone.")
    run, output = Path(runs(cfg)[0]), Path(cfg.output)
    exporter = find_exporter(cfg.format, cfg.weights, run)
    check_folder(output)
    bundle = load_bundle(run, trusted=cfg.trusted)
    exporter.check(bundle)
    logger.info("Writing %s as format=%s, weights=%s", run, cfg.format, cfg.weights)
    sizes = write_export(bundle, run, output, exporter, weights=cfg.weights)
    for name, size in sizes.items():
        logger.info("  %s  %s", name, _in_units(size))
    logger.info("Wrote %s, %s; %s", output, _in_units(sum(sizes.values())), exporter.usage(output))
    return output


def check_folder(output: Path) -> None:
    """Refuse to write over a folder, or into a bundle, whose folder its run may replace."""
    if output.exists():
        raise InputError(
            f"The folder {output} already exists; choose another output=... or remove it."
        )
    if (output.parent / CONFIG).is_file():
        raise InputError(
            f"The folder {output} would lie in a bundle, which its run may replace; choose another "
            "output=..."
        )


def _in_units(size: int) -> str:
    """Bytes, for a person."""
    if size < 2**20:
        return f"{size / 2**10:,.1f} KiB"
    return f"{size / 2**20:,.1f} MiB"
