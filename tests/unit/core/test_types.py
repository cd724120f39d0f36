"""Small records."""

import torch

from tandem.core.types import SPECIAL_IDS, SPECIAL_TOKENS, Batch


def test_special_ids_index_special_tokens() -> None:
    ids = (SPECIAL_IDS.pad, SPECIAL_IDS.bos, SPECIAL_IDS.eos, SPECIAL_IDS.unk)
    assert [SPECIAL_TOKENS[id_] for id_ in ids] == ["<pad>", "<bos>", "<eos>", "<unk>"]


def test_a_batch_moves_as_a_whole() -> None:
    parts = [torch.full((1, 1), value) for value in range(6)]
    moved = Batch(*parts).to("meta")
    assert {value.device.type for value in vars(moved).values()} == {"meta"}
