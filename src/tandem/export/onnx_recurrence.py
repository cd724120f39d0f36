"""Our operator of a recurrent layer in ONNX, which has one of each cell."""

from collections.abc import Sequence
from typing import Any

OPERATORS = {"RNN_TANH": "RNN", "LSTM": "LSTM", "GRU": "GRU"}
GATES = {"RNN_TANH": (0,), "LSTM": (0, 3, 1, 2), "GRU": (1, 0, 2)}
"""Where ONNX's gates stand among torch's: i o f c among i f c o, and z r h among r z h."""
INT32 = 6


def translate(inputs: Any, mask: Any, weights: Sequence[Any], mode: str) -> tuple[Any, Any]:
    """What :func:`tandem.layers.recurrent_operator.recurrent_layer` computes, in ONNX's operators.

    :param inputs: (B, S, E)
    :param mask: (B, S)
    """
    from onnxscript import opset20

    op: Any = opset20
    lengths = op.ReduceSum(op.Cast(mask, to=INT32), [1], keepdims=0)  # (B,)
    size = weights[1].shape[1]
    directions = [weights[place : place + 4] for place in range(0, len(weights), 4)]
    below, recurrent, *biases = (
        _side_by_side(op, [_reordered(op, weight, GATES[mode], size) for weight in part])
        for part in zip(*directions, strict=True)
    )
    options = {"hidden_size": size}
    if len(directions) == 2:
        options["direction"] = "bidirectional"
    if mode == "GRU":
        options["linear_before_reset"] = 1
    run = getattr(op, OPERATORS[mode])
    states, final, *_ = run(
        op.Transpose(inputs, perm=[1, 0, 2]),
        below,
        recurrent,
        op.Concat(*biases, axis=1),
        lengths,
        **options,
    )  # (S, directions, B, H), (directions, B, H)
    return op.Reshape(op.Transpose(states, perm=[2, 0, 1, 3]), [0, 0, -1]), final


def _reordered(op: Any, weight: Any, order: tuple[int, ...], size: int) -> Any:
    """Gates (G x H, ...) in ONNX's order."""
    gates = (op.Slice(weight, [place * size], [(place + 1) * size], [0]) for place in order)
    return op.Concat(*gates, axis=0)


def _side_by_side(op: Any, parts: Sequence[Any]) -> Any:
    """One part of each direction -> (directions, ...)."""
    return op.Concat(*(op.Unsqueeze(part, [0]) for part in parts), axis=0)
