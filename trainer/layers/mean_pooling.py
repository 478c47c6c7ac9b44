"""Average of the tokens of a text."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="taxofuse")
class MeanPooling(keras.layers.Layer):
    """Averages token vectors, ignoring padding, in float32.

    Call arguments:
        sequence_output: float tensor `(batch, tokens, hidden_dim)`.
        padding_mask: int or bool tensor `(batch, tokens)`; 0 marks padding.

    Returns:
        float32 tensor `(batch, hidden_dim)`; zeros where a row is all padding.
    """

    def __init__(self, **kwargs: Any) -> None:
        # Sums over many tokens lose digits in half precision.
        super().__init__(**{"dtype": "float32", **kwargs})

    def call(self, sequence_output: Any, padding_mask: Any) -> Any:
        mask = ops.expand_dims(ops.cast(padding_mask, sequence_output.dtype), -1)
        total = ops.sum(sequence_output * mask, axis=1)
        # A row without tokens: divide by 1, not 0, to avoid NaN.
        return total / ops.maximum(ops.sum(mask, axis=1), 1)

    def compute_output_shape(self, sequence_output_shape: Any, padding_mask_shape: Any) -> Any:
        return (sequence_output_shape[0], sequence_output_shape[-1])
