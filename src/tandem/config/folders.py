"""Where the files are that come with Tandem, and those beside them that are the user's own."""

from pathlib import Path

from tandem.core.errors import InputError, nearest

STUDIES = "sweeps"
"""The folder of studies in a checkout, which users name as well who have none."""


def config_folder() -> Path:
    """Where the configs are: inside the installed package, or beside ``src/`` in a checkout."""
    return _shipped("conf", checkout="conf")


def own_config_folder() -> Path | None:
    """A ``conf/`` folder where the user stands, which extends ours."""
    own = Path.cwd() / "conf"
    return own if own.is_dir() and own.resolve() != config_folder().resolve() else None


def find_study(name: str) -> Path:
    """The file of a study: the user's own, or one of those that come with Tandem.

    :param name: a path; of a study that comes with Tandem also its name alone, such as ``g2p``.
    :raises InputError: if there is neither.
    """
    own, shipped = Path(name), _shipped("studies", checkout=STUDIES)
    if own.exists():
        return own
    if str(own.parent) in (".", STUDIES) and own.suffix in ("", ".yaml"):
        study = shipped / f"{own.stem}.yaml"
        if study.is_file():
            return study
    studies = study_names()
    raise InputError(
        f"There is no study {name}{nearest(own.stem, studies)}; give the path of a YAML file, or "
        f"one of the studies that come with Tandem: {', '.join(studies)}."
    )


def study_names() -> list[str]:
    """The studies that come with Tandem."""
    return sorted(path.stem for path in _shipped("studies", checkout=STUDIES).glob("*.yaml"))


def study_summary(name: str) -> str:
    """What a study compares: the first line of its file, a comment."""
    return find_study(name).read_text(encoding="utf-8").partition("\n")[0].lstrip("# ")


def _shipped(name: str, *, checkout: str) -> Path:
    """A folder of data in the installed package; ``checkout`` is its name beside ``src/``."""
    inside = Path(__file__).parents[1] / name
    return inside if inside.is_dir() else Path(__file__).parents[3] / checkout
