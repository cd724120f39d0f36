"""Tables with a row for each symbol, filled with those of another vocabulary."""

import logging
from collections.abc import Sequence

import torch
from torch import Tensor

from tandem.core.errors import InputError
from tandem.data.tokenizers.pretrained import ForeignVocabulary
from tandem.pretrained import Checkpoint

logger = logging.getLogger(__name__)


@torch.no_grad()
def fill_rows(
    table: Tensor,
    stored: Tensor,
    symbols: Sequence[str],
    *,
    vocabulary: ForeignVocabulary,
    checkpoint: Checkpoint,
    bos: int | None = None,
) -> None:
    """Fill a table with one row a symbol; rows of symbols that the checkpoint lacks stay fresh.

    :param table: (V, E) of this run.
    :param stored: (V', E) of the checkpoint.
    :param symbols: V of this run.
    :param bos: the checkpoint's id with which a decoder starts.
    :raises InputError: if the checkpoint's tokenizer is not that of its weights.
    """
    rows = vocabulary.rows(symbols, bos=bos)
    known = [place for place, row in enumerate(rows) if row is not None]
    ids = [row for row in rows if row is not None]
    if max(ids) >= len(stored):
        raise InputError(
            f"{checkpoint.key} has a tokenizer with the id {max(ids)}, but embeddings of "
            f"{len(stored)} symbols, so they are not of one model; get the checkpoint again."
        )
    table[known] = stored[ids].to(table.dtype)
    logger.info(
        "Pretrained: %s of %s symbols have embeddings of %s; the others are random",
        f"{len(known):,}",
        f"{len(rows):,}",
        checkpoint.folder,
    )
