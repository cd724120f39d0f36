"""Packages that only some users need, which pip install 'tandem-seq2seq[...]' adds."""

from importlib.util import find_spec

from tandem.core.errors import InputError


def check_extra(extra: str, package: str, *, used_by: str, otherwise: str) -> None:
    """Refuse to go on without a package.

    :param extra: the name under which ``pyproject.toml`` lists it.
    :param package: what is imported.
    :param used_by: what needs it, such as ``logger=mlflow``.
    :param otherwise: what works without it, as an advice.
    :raises InputError: if it is not installed.
    """
    if find_spec(package) is None:
        raise InputError(
            f"{used_by} needs the package {package}, which is not installed; run "
            f"pip install 'tandem-seq2seq[{extra}]', or {otherwise}."
        )
