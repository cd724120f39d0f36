"""Puts the parts of a model together; sizes that must agree pass from part to part here."""

from collections.abc import Callable

from torch import nn

from tandem.core.errors import InputError
from tandem.decoders.base import Decoder
from tandem.encoders.base import Encoder
from tandem.frontends.base import Frontend
from tandem.layers.embedding import embedding_table
from tandem.models.attention_weights import gives_weights
from tandem.models.copying import Copier
from tandem.models.ctc import CTC
from tandem.models.seq2seq import Seq2Seq
from tandem.models.vocabulary_layer import VocabularyLayer

TIES = ("none", "target", "all")


def assemble(
    *,
    frontend: Callable[..., Frontend],
    encoder: Callable[..., Encoder],
    decoder: Callable[..., Decoder],
    embedding_size: int,
    tie_embeddings: str,
    copying: bool,
    dropout: float,
    ctc_weight: float,
    source_size: int,
    target_size: int,
    shared_vocabulary: bool,
    output_bias: bool = False,
) -> Seq2Seq:
    """Build a model from factories of its parts.

    :param embedding_size: E of the target embeddings.
    :param tie_embeddings: none; target (target embeddings serve as the vocabulary layer: Press &
        Wolf 2017); all (source embeddings are the same table, too).
    :param copying: whether source symbols can be copied.
    :param dropout: probability on the target embeddings.
    :param ctc_weight: the share of CTC in training; above 0 the model gets a layer for it.
    :param source_size: size of the source: symbols of a text vocabulary, or a vector's width.
    :param target_size: V, symbols of the target vocabulary.
    :param shared_vocabulary: whether source and target have one vocabulary.
    :param output_bias: whether the vocabulary layer has a bias, as some pretrained ones have.
    :raises InputError: if sizes do not fit.
    """
    if tie_embeddings not in TIES:
        raise InputError(
            f"`model.tie_embeddings` must be one of {', '.join(TIES)}, but is {tie_embeddings!r}."
        )
    front = frontend(source_size=source_size)
    reader = encoder(input_size=front.output_size)
    writer = decoder(input_size=embedding_size, memory_size=reader.output_size)
    table = embedding_table(target_size, embedding_size)
    if tie_embeddings == "all":
        table = _shared_table(front, embedding_size, shared_vocabulary)
    output = VocabularyLayer(
        features_size=writer.output_size, target_size=target_size, bias=output_bias
    )
    if tie_embeddings != "none":
        if writer.output_size != embedding_size:
            raise InputError(
                "Tied embeddings need decoder features as large as an embedding, but they have "
                f"sizes {writer.output_size} and {embedding_size}; set decoder.output_size (for "
                "decoder=transformer decoder.hidden_size) and embedding_size to the same value or "
                "model.tie_embeddings=none."
            )
        output.weight = table.weight
    copier = None
    if copying:
        _check_copying(front, writer, embedding_size, reader.output_size, shared_vocabulary)
        copier = Copier(features_size=writer.output_size, input_size=embedding_size)
    ctc = CTC(memory_size=reader.output_size, target_size=target_size) if ctc_weight > 0 else None
    return Seq2Seq(
        frontend=front,
        encoder=reader,
        target_table=table,
        decoder=writer,
        output=output,
        copier=copier,
        ctc=ctc,
        dropout=dropout,
    )


def _shared_table(front: Frontend, embedding_size: int, shared_vocabulary: bool) -> nn.Embedding:
    """The frontend's table, if the target can use it."""
    if front.table is None or not shared_vocabulary:
        raise InputError(
            "model.tie_embeddings=all needs source and target to be text with one vocabulary; set "
            "tokenizer.shared=true or model.tie_embeddings=target."
        )
    if front.output_size != embedding_size:
        raise InputError(
            f"model.tie_embeddings=all needs source and target embeddings of one size, but they "
            f"have sizes {front.output_size} and {embedding_size}; set frontend.embedding_size and "
            "model.embedding_size to the same value."
        )
    return front.table


def _check_copying(
    front: Frontend, writer: Decoder, embedding_size: int, memory_size: int, shared: bool
) -> None:
    """Refuse to copy where there is nothing to copy, or no telling where from."""
    if front.table is None or not shared:
        raise InputError(
            "model.copying=true needs source and target to be text with one vocabulary; set "
            "tokenizer.shared=true or model.copying=false."
        )
    if not gives_weights(writer, input_size=embedding_size, memory_size=memory_size):
        raise InputError(
            "model.copying=true copies what attention looks at, but this attention has no weights; "
            "choose another one, such as attention=additive, or model.copying=false."
        )
