"""Puts the parts of a model together; sizes that must agree pass from part to part here."""

from collections.abc import Callable

from torch import nn

from tandem.core.errors import InputError
from tandem.decoders.base import Decoder
from tandem.encoders.base import Encoder
from tandem.frontends.base import Frontend
from tandem.layers.embedding import embedding_table
from tandem.models.seq2seq import Seq2Seq

TIES = ("none", "target", "all")


def assemble(
    *,
    frontend: Callable[..., Frontend],
    encoder: Callable[..., Encoder],
    decoder: Callable[..., Decoder],
    embedding_size: int,
    tie_embeddings: str,
    dropout: float,
    source_size: int,
    target_size: int,
    shared_vocabulary: bool,
) -> Seq2Seq:
    """Build a model from factories of its parts.

    :param embedding_size: E of the target embeddings.
    :param tie_embeddings: none; target (target embeddings serve as the vocabulary layer: Press &
        Wolf 2017); all (source embeddings are the same table, too).
    :param dropout: probability on the target embeddings.
    :param source_size: size of the source: symbols of a text vocabulary.
    :param target_size: V, symbols of the target vocabulary.
    :param shared_vocabulary: whether source and target have one vocabulary.
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
    output = nn.Linear(writer.output_size, target_size, bias=False)
    nn.init.normal_(output.weight, std=writer.output_size**-0.5)
    if tie_embeddings != "none":
        if writer.output_size != embedding_size:
            raise InputError(
                "Tied embeddings need decoder features as large as an embedding, but they have "
                f"sizes {writer.output_size} and {embedding_size}; set decoder.output_size (for "
                "decoder=transformer decoder.hidden_size) and embedding_size to the same value or "
                "model.tie_embeddings=none."
            )
        output.weight = table.weight
    return Seq2Seq(
        frontend=front,
        encoder=reader,
        target_table=table,
        decoder=writer,
        output=output,
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
