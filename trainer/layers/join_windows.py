"""Vectors of the windows of a text side by side again."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="taxofuse")
class JoinWindows(keras.layers.Layer):
    """Takes back what `SplitWindows` did.

    Call arguments:
        sequence_output: float tensor `(batch * windows, tokens, hidden_dim)`.
        like: tensor `(batch, windows * tokens)`.

    Returns:
        Tensor `(batch, windows * tokens, hidden_dim)`.
    """

    def call(self, sequence_output: Any, like: Any) -> Any:
        batch, length = ops.shape(like)
        dim = sequence_output.shape[-1]
        # One open axis needs no computed shape, which devices are slow at.
        shape = (-1, length, dim) if isinstance(length, int) else (batch, -1, dim)
        return ops.reshape(sequence_output, shape)

    def compute_output_spec(self, sequence_output: Any, like: Any) -> Any:
        shape = (*like.shape, sequence_output.shape[-1])
        return keras.KerasTensor(shape, sequence_output.dtype)
