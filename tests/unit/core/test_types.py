"""Small records."""

import torch
from lightning.fabric.utilities.apply_func import apply_to_collection
from torch.utils._pytree import tree_map

from tandem.core.types import SPECIAL_IDS, SPECIAL_TOKENS, Batch


def test_special_ids_index_special_tokens() -> None:
    ids = (SPECIAL_IDS.pad, SPECIAL_IDS.bos, SPECIAL_IDS.eos, SPECIAL_IDS.unk)
    assert [SPECIAL_TOKENS[id_] for id_ in ids] == ["<pad>", "<bos>", "<eos>", "<unk>"]


def two_examples() -> Batch:
    target = torch.tensor([[4, 5, 2], [2, 0, 0]])
    return Batch.of(
        source=torch.randn(2, 3, 2),
        source_mask=torch.ones(2, 3).bool(),
        target_in=target,
        target_out=target,
        target_mask=target != 0,
        indices=torch.arange(2),
    )


def test_a_batch_knows_its_symbols() -> None:
    batch = two_examples()
    assert batch.target_out.flatten()[batch.target_positions].tolist() == [4, 5, 2, 2]
    assert (batch.num_symbols, batch.total_symbols) == (4, 4)


def test_a_doubled_batch_has_every_symbol_twice() -> None:
    doubled = two_examples().doubled()
    symbols = doubled.target_out.flatten()[doubled.target_positions]
    assert symbols.tolist() == [4, 5, 2, 2, 4, 5, 2, 2]
    assert (doubled.num_symbols, doubled.total_symbols) == (8, 8)


def test_a_batch_moves_as_a_whole() -> None:
    moved = two_examples().to("meta")
    assert {part.device.type for part in moved if isinstance(part, torch.Tensor)} == {"meta"}
    assert (moved.num_symbols, moved.total_symbols) == (4, 4)


def test_lightning_and_pytrees_walk_through_a_batch() -> None:
    """As precision plugins and FSDP do, which met a frozen dataclass with an error."""
    batch = two_examples()
    halved = apply_to_collection(batch, torch.Tensor, lambda tensor: tensor.clone())
    assert type(halved) is Batch
    assert halved.total_symbols == 4
    assert tree_map(lambda leaf: leaf, batch).total_symbols == 4
