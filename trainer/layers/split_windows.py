"""A text of several windows as as many texts of one."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="taxofuse")
class SplitWindows(keras.layers.Layer):
    """Puts the windows of each row below one another.

    Args:
        max_tokens: int. Length of a window. What is at most so long is one window.

    Call arguments:
        inputs: tensor `(batch, length)`; longer than `max_tokens` only by a
            multiple of it.

    Returns:
        Tensor `(batch * windows, min(length, max_tokens))` of the same type.
    """

    def __init__(self, max_tokens: int, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "int32", **kwargs})
        self.max_tokens = max_tokens

    def call(self, inputs: Any) -> Any:
        length = inputs.shape[1]
        known = length is not None
        width = min(length, self.max_tokens) if known else self._find_width(inputs)
        return ops.reshape(inputs, (-1, width))

    def compute_output_spec(self, inputs: Any) -> Any:
        return keras.KerasTensor((None, None), inputs.dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "max_tokens": self.max_tokens}

    def _find_width(self, inputs: Any) -> Any:
        return ops.minimum(ops.shape(inputs)[1], self.max_tokens)
