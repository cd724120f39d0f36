"""How precisely training multiplies matrices."""

from typing import Any

import lightning as L
import torch

from tandem.core.errors import InputError

PRECISIONS = ("high", "medium")


class MatmulPrecision(L.Callback):
    """Rounds the factors of training's fp32 matrix products, as the processor can; not their sums.

    ``medium`` means bfloat16 on a CPU with units for it (AMX, AVX512-BF16); on a GPU both mean
    TF32 or what is near it. Weights, sums, losses and the optimizer stay as they are, and so does
    evaluation; what the loss multiplies on such a CPU is itself rounded to bfloat16 (the logits and
    their gradients). A processor without such units computes as before.

    :param precision: high or medium, see :func:`torch.set_float32_matmul_precision`.
    """

    def __init__(self, precision: str) -> None:
        if precision not in PRECISIONS:
            raise InputError(
                f"`precision` must be one of {', '.join(PRECISIONS)}, but is {precision!r}; leave "
                "the callback out for full precision."
            )
        self.precision = precision
        self._before = torch.get_float32_matmul_precision()

    def on_train_batch_start(self, *args: Any) -> None:
        """Round from here on."""
        self._before = torch.get_float32_matmul_precision()
        torch.set_float32_matmul_precision(self.precision)

    def on_train_batch_end(self, *args: Any) -> None:
        """Stop rounding."""
        torch.set_float32_matmul_precision(self._before)

    def on_exception(self, *args: Any) -> None:
        """Stop rounding."""
        torch.set_float32_matmul_precision(self._before)
