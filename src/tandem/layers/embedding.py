"""Tables of symbol vectors."""

from torch import nn


def embedding_table(vocabulary_size: int, embedding_size: int) -> nn.Embedding:
    """A table that starts from a normal distribution with standard deviation ``E ** -0.5``.

    So it serves as output layer too, and Transformers, which multiply embeddings by ``E ** 0.5``,
    start with unit variance.
    """
    table = nn.Embedding(vocabulary_size, embedding_size)
    nn.init.normal_(table.weight, std=embedding_size**-0.5)
    return table
