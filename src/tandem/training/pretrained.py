"""Weights of checkpoints of others, put into a model that stands."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor

from tandem.core.errors import InputError
from tandem.data.preprocessing import Processors
from tandem.data.tokenizers.pretrained import ForeignVocabulary, read_vocabulary
from tandem.encoders.pretrained import PretrainedEncoder
from tandem.models import Seq2Seq
from tandem.pretrained import Checkpoint
from tandem.pretrained.tensor_file import TensorFile
from tandem.pretrained.weights import copy_weights
from tandem.training.module_weights import fill_module

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PretrainedWeights:
    """What a model's parts begin with, beside what they draw at random."""

    encoder: Checkpoint | None = None
    module: TensorFile | None = None
    """Of the network of another package."""

    def fill(self, model: Seq2Seq, processors: Processors) -> None:
        """Put the weights into their places.

        :raises InputError: if one is missing or of another shape.
        """
        if self.encoder is not None:
            _fill_encoder(model, processors, self.encoder)
        if self.module is not None:
            fill_module(model, self.module)


def _fill_encoder(model: Seq2Seq, processors: Processors, checkpoint: Checkpoint) -> None:
    """The network, and the embeddings of the source's symbols."""
    assert isinstance(model.encoder, PretrainedEncoder)
    network, missing = model.encoder.architecture.load(str(checkpoint.folder))
    stored = network.state_dict()
    copy_weights(model.encoder.network, stored, missing, checkpoint.key)
    logger.info("Pretrained: the encoder's weights from %s", checkpoint.folder)
    if model.encoder.architecture.media == "text":
        assert model.frontend.table is not None
        (tokenizer,) = processors.source.tokenizers
        fill_rows(
            model.frontend.table.weight,
            cast(Any, network).get_input_embeddings().weight,
            tokenizer.symbols,
            vocabulary=read_vocabulary(checkpoint),
            checkpoint=checkpoint,
        )


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
        "Pretrained: %s of %s symbols have embeddings of %s; the others begin fresh",
        f"{len(known):,}",
        f"{len(rows):,}",
        checkpoint.folder,
    )
