"""Scaled dot-product attention over heads: Vaswani et al. (2017), eq. 1."""

import torch
import torch.nn.functional as F
from torch import Tensor

from tandem.core.errors import InputError
from tandem.core.kernels import WithoutCudnnAttention
from tandem.core.masks import masked_softmax
from tandem.layers.dropout import Dropout

FEW_KEYS = 24
FEW_QUERIES = 16
"""Up to which a CPU is faster without the fused kernel."""


def head_size(size: int, num_heads: int) -> int:
    """Size of one head; raises InputError if the heads don't divide the size."""
    if num_heads < 1 or size % num_heads:
        raise InputError(
            f"`num_heads` ({num_heads}) must divide the size it splits ({size}); "
            "change `num_heads` or `hidden_size`."
        )
    return size // num_heads


def split_heads(states: Tensor, num_heads: int) -> Tensor:
    """(B, T, H) -> (B, heads, T, H / heads)."""
    batch, length, size = states.shape
    return states.view(batch, length, num_heads, size // num_heads).transpose(1, 2)


def merge_heads(heads: Tensor) -> Tensor:
    """(B, heads, T, size) -> (B, T, heads x size)."""
    return heads.transpose(1, 2).flatten(2)


def attend(query: Tensor, keys: Tensor, values: Tensor, mask: Tensor, dropout: Dropout) -> Tensor:
    """``softmax(Q K' / sqrt(d)) V``; torch's fused kernel unless the weights are dropped out.

    On a CPU that kernel takes many small products. Under a reduced precision of products each would
    be rounded on its own, which takes five times as long, and over few keys it is slower forward
    and backward than two large products; these are used there.

    :param query: (B, heads, T, d)
    :param keys: (B, heads, S, d)
    :param values: (B, heads, S, d)
    :param mask: bool, broadcasts to (B, heads, T, S), True = takes part.
    :return: (B, heads, T, d)
    """
    if dropout.training and dropout.p > 0:
        return dropout(attention_weights(query, keys, mask)) @ values
    if _is_faster_unfused(query, keys):
        return attention_weights(query, keys, mask) @ values
    with WithoutCudnnAttention():
        return F.scaled_dot_product_attention(query, keys, values, attn_mask=mask)


def _is_faster_unfused(query: Tensor, keys: Tensor) -> bool:
    """Whether a CPU takes two products; compiled code keeps the kernel, whatever the sizes, and a
    graph for other runtimes, which have no such kernel, takes the products.
    """
    if torch.compiler.is_exporting():
        return True
    if query.device.type != "cpu" or torch.compiler.is_compiling():
        return False
    is_small = keys.size(2) <= FEW_KEYS or query.size(2) <= FEW_QUERIES
    return is_small or torch.get_float32_matmul_precision() != "highest"


def attention_weights(query: Tensor, keys: Tensor, mask: Tensor) -> Tensor:
    """The weights that :func:`attend` uses: (B, heads, T, S)."""
    scores = (query * query.size(-1) ** -0.5) @ keys.transpose(-1, -2)
    return masked_softmax(scores, mask)


def causal_mask(length: int, past: int, positions: int, device: torch.device) -> Tensor:
    """(T, positions) bool: position t sees the past, what came before it and itself."""
    return torch.ones(length, positions, dtype=torch.bool, device=device).tril(past)
