"""Reads one bundle, or several that decide together."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from tandem.core.errors import InputError
from tandem.inference.bundle import Bundle, load_bundle
from tandem.search.ensemble import checked_average


def load_bundles(
    paths: str | Path | Sequence[str | Path],
    *,
    average: str = "probability",
    trusted: Iterable[str] = (),
) -> Bundle:
    """Read the bundle of one folder, or the bundles of several as one.

    The first of several gives what is not a model: tokenizers, search, data, metrics. All must
    have the same vocabularies, or features and a target vocabulary; their architectures may
    differ.

    :param paths: a folder, or a list of folders; see :func:`load_bundle`.
    :param average: probability or log; see :func:`tandem.search.ensemble.start_together`.
    :param trusted: packages beside Tandem whose classes the models may be made of.
    :raises InputError: if a bundle is unusable, or does not fit to the first.
    """
    checked_average(average)
    folders = [paths] if isinstance(paths, str | Path) else list(paths)
    if not folders:
        raise InputError("`run` is an empty list; give one folder of a run, or several.")
    packages = tuple(trusted)
    first, *others = bundles = [load_bundle(folder, trusted=packages) for folder in folders]
    if others and any(bundle.model.searches_itself for bundle in bundles):
        raise InputError(
            "An export to CTranslate2 searches by itself, so it cannot be part of an "
            "ensemble; name one folder, or export each with format=onnx."
        )
    for folder, other in zip(folders[1:], others, strict=True):
        one, two = first.processors, other.processors
        same_source = one.source.evaluated_identity() == two.source.evaluated_identity()
        if not same_source or one.target.to_json() != two.target.to_json():
            what = "target vocabularies"
            if not same_source:
                what = "source vocabularies, features or data.truncate_source"
            raise InputError(
                f"The runs {folders[0]} and {folder} cannot form an ensemble, as their {what} "
                "differ; train them on the same data with the same tokenizer and options."
            )
    partners = tuple(other.model for other in others)
    longest = max(bundle.max_length for bundle in (first, *others))
    return replace(first, partners=partners, average=average, max_length=longest)
