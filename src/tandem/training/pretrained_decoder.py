"""A decoder's weights from a checkpoint of others, with its embeddings and vocabulary layer."""

import logging
from typing import Any

import torch
from torch import Tensor

from tandem.core.errors import InputError
from tandem.data.preprocessing import Processors
from tandem.data.tokenizers.pretrained import ForeignVocabulary, read_vocabulary
from tandem.decoders.pretrained import PretrainedDecoder
from tandem.models import Seq2Seq
from tandem.pretrained import Checkpoint
from tandem.pretrained.loading import below
from tandem.pretrained.weights import copy_weights
from tandem.training.embedding_rows import fill_rows

logger = logging.getLogger(__name__)


def fill_decoder_network(model: Seq2Seq, checkpoint: Checkpoint) -> None:
    """Fill what is the same whatever the vocabulary is.

    :raises InputError: if a weight is missing or of another shape.
    """
    decoder = model.decoder
    assert isinstance(decoder, PretrainedDecoder)
    part = decoder.architecture.part
    whole, missing = checkpoint.load(decoder.architecture.loader)
    own = decoder.network.state_dict()
    weights = {name: own[ours] for ours, name in decoder.native_names.items()}
    missing = below(part, missing).difference(decoder.architecture.fresh)
    copy_weights(weights, whole.get_submodule(part).state_dict(), missing, checkpoint.key)


@torch.no_grad()
def fill_decoder(model: Seq2Seq, processors: Processors, checkpoint: Checkpoint) -> None:
    """Fill the network, the embeddings of the target's symbols and the vocabulary layer.

    :raises InputError: if a weight is missing or of another shape, or if the prompt has symbols
        that the checkpoint lacks.
    """
    fill_decoder_network(model, checkpoint)
    logger.info("Pretrained: the decoder's weights from %s", checkpoint.folder)
    decoder = model.decoder
    assert isinstance(decoder, PretrainedDecoder)
    whole, _ = checkpoint.load(decoder.architecture.loader)
    network = whole.get_submodule(decoder.architecture.part)
    vocabulary = read_vocabulary(checkpoint)
    prompt = _prompt_ids(decoder, vocabulary, checkpoint)
    embeddings = network.get_input_embeddings().weight
    if decoder.prompt is not None:
        decoder.prompt.copy_(embeddings[prompt[:-1]])
    _fill_tables(model, processors, whole, embeddings, vocabulary, checkpoint, bos=prompt[-1])


def _fill_tables(
    model: Seq2Seq,
    processors: Processors,
    whole: Any,
    embeddings: Tensor,
    vocabulary: ForeignVocabulary,
    checkpoint: Checkpoint,
    *,
    bos: int,
) -> None:
    """The embeddings, and the vocabulary layer where it has weights of its own."""
    tables = [(model.target_table.weight, embeddings)]
    if model.output.weight is not model.target_table.weight:
        tables.append((model.output.weight, whole.get_output_embeddings().weight))
    bias = getattr(whole, "final_logits_bias", None)
    if model.output.bias is not None and bias is not None:
        tables.append((model.output.bias.unsqueeze(1), bias.T))
    for table, stored in tables:
        fill_rows(
            table,
            stored,
            processors.target.symbols,
            vocabulary=vocabulary,
            checkpoint=checkpoint,
            bos=bos,
        )


def _prompt_ids(
    decoder: PretrainedDecoder, vocabulary: ForeignVocabulary, checkpoint: Checkpoint
) -> list[int]:
    """What stands before a text, as ids of the checkpoint."""
    unknown = [symbol for symbol in decoder.prompt_symbols if symbol not in vocabulary.ids]
    if unknown:
        raise InputError(
            f"`decoder.prompt` has {unknown[0]!r}, which the vocabulary of {checkpoint.key} lacks; "
            "choose symbols of that, or leave it out."
        )
    return [vocabulary.ids[symbol] for symbol in decoder.prompt_symbols] or [vocabulary.eos]
