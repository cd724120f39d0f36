"""Weights of checkpoints of others, put into a model that stands."""

import logging
from dataclasses import dataclass
from typing import Any, cast

from tandem.data.preprocessing import Processors
from tandem.data.tokenizers.pretrained import read_vocabulary
from tandem.encoders.pretrained import PretrainedEncoder
from tandem.models import Seq2Seq
from tandem.pretrained import Checkpoint
from tandem.pretrained.tensor_file import TensorFile
from tandem.pretrained.weights import copy_weights
from tandem.training.embedding_rows import fill_rows
from tandem.training.module_weights import fill_module
from tandem.training.pretrained_decoder import fill_decoder, fill_decoder_network

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PretrainedWeights:
    """What a model's parts begin with, beside what they draw at random."""

    encoder: Checkpoint | None = None
    decoder: Checkpoint | None = None
    module: TensorFile | None = None
    """Of the network of another package."""

    def check(self, model: Seq2Seq) -> None:
        """Refuse weights that do not fit, before any data is read.

        :param model: has vocabularies of any size; it is filled but for these.
        :raises InputError: if a weight is missing or of another shape.
        """
        if self.encoder is not None:
            _fill_encoder_network(model, self.encoder)
        if self.decoder is not None:
            fill_decoder_network(model, self.decoder)
        if self.module is not None:
            fill_module(model, self.module)

    def fill(self, model: Seq2Seq, processors: Processors) -> None:
        """Put the weights into their places.

        :raises InputError: if one is missing or of another shape.
        """
        if self.encoder is not None:
            _fill_encoder(model, processors, self.encoder)
        if self.decoder is not None:
            fill_decoder(model, processors, self.decoder)
        if self.module is not None:
            fill_module(model, self.module)
            logger.info("Pretrained: the encoder's weights from %s", self.module.path)
        for checkpoint in (self.encoder, self.decoder):
            if checkpoint is not None:
                checkpoint.forget()


def _fill_encoder_network(model: Seq2Seq, checkpoint: Checkpoint) -> None:
    """What is the same whatever the vocabulary is."""
    assert isinstance(model.encoder, PretrainedEncoder)
    network, missing = model.encoder.architecture.load(checkpoint)
    weights, stored = model.encoder.network.state_dict(), network.state_dict()
    copy_weights(weights, stored, missing, checkpoint.key)


def _fill_encoder(model: Seq2Seq, processors: Processors, checkpoint: Checkpoint) -> None:
    """The network, and the embeddings of the source's symbols."""
    _fill_encoder_network(model, checkpoint)
    logger.info("Pretrained: the encoder's weights from %s", checkpoint.folder)
    if model.frontend.media == "text":
        assert isinstance(model.encoder, PretrainedEncoder)
        assert model.frontend.table is not None
        network, _ = model.encoder.architecture.load(checkpoint)
        (tokenizer,) = processors.source.tokenizers
        fill_rows(
            model.frontend.table.weight,
            cast(Any, network).get_input_embeddings().weight,
            tokenizer.symbols,
            vocabulary=read_vocabulary(checkpoint),
            checkpoint=checkpoint,
        )
