"""Embedding a text source."""

import torch

from tandem.frontends import TextFrontend


def test_symbols_become_rows_of_the_table() -> None:
    frontend = TextFrontend(source_size=5, embedding_size=3, dropout=0.5).eval()
    source, mask = torch.tensor([[4, 0]]), torch.tensor([[True, False]])
    inputs, same = frontend(source, mask)
    assert torch.equal(inputs[0], frontend.table.weight[[4, 0]])
    assert same is mask
    assert frontend.output_size == 3


def test_dropout_in_training() -> None:
    torch.manual_seed(0)
    frontend = TextFrontend(source_size=5, embedding_size=300, dropout=0.5)
    inputs, _ = frontend(torch.tensor([[4]]), torch.tensor([[True]]))
    assert 90 < (inputs == 0).sum().item() < 210
