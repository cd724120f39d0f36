"""RSICD: aerial photographs and sentences about them, Lu et al. (2017)."""

from datasets import DatasetDict

from tandem.data.datasets.captioned_folder import captioned_folder


def rsicd(*, data_dir: str | None, strip: bool, on_bad_example: str) -> DatasetDict:
    """Load the photographs with one to five different sentences each.

    Training has an example for each sentence, evaluation one for each photograph with all of its
    sentences as references.

    :param data_dir: folder with ``train``, ``validation`` and ``test``, each with photographs and
        ``metadata.csv``, whose columns are ``file_name`` and ``caption``; a row for each sentence.
    :param strip: whether whitespace at the ends of sentences is removed.
    :param on_bad_example: ``error``, or ``skip`` rows without a sentence or file.
    """
    return captioned_folder("rsicd", data_dir=data_dir, strip=strip, on_bad_example=on_bad_example)
