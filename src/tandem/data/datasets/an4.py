"""AN4: spelled words and numbers, recorded at CMU in 1991, 16 kHz."""

from datasets import DatasetDict

from tandem.core.errors import InputError
from tandem.data.datasets.base import resolve_data_dir
from tandem.data.datasets.media_files import load_files
from tandem.data.file_columns import FileColumns
from tandem.data.file_tables import FileTables
from tandem.data.splitting import Part, Splitting


def an4(
    *, data_dir: str | None, validation: Part, seed: int, strip: bool, on_bad_example: str
) -> DatasetDict:
    """Load the set; the speakers of the three splits are different ones.

    :param data_dir: folder with ``train`` and ``test``, each with the recordings and a
        ``metadata.csv`` of the columns ``file_name``, ``transcription`` and ``speaker``.
    :param validation: how large a part of the training recordings is held out, at least.
    :param seed: what the speakers of that part are drawn from.
    :param strip: whether whitespace at the ends of transcripts is removed.
    :param on_bad_example: ``error``, or ``skip`` rows without a transcript or file.
    """
    folder = resolve_data_dir(data_dir, "an4")
    if folder is None:
        raise InputError(
            "The dataset an4 is not downloaded by itself; get it from "
            "http://www.speech.cs.cmu.edu/databases/an4, lay it out as `audiofolder` and set "
            "dataset.data_dir, or TANDEM_DATA to the folder that has the folder an4."
        )
    columns = FileColumns(
        fixed=True, file="file_name", target="transcription", group="speaker", strip=strip
    )
    splitting = Splitting(train="train", validation=validation, test="test", seed=seed)
    return load_files(FileTables(home=folder), columns, splitting, on_bad_example=on_bad_example)
