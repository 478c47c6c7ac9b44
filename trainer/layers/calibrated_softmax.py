"""Logits to probabilities that mean what they say."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="taxofuse")
class CalibratedSoftmax(keras.layers.Layer):
    """Divides logits by a temperature found on held-out rows, then takes the softmax.

    Args:
        temperature: float. 1 leaves probabilities as they were trained.

    Call arguments:
        logits: float tensor `(batch, num_classes)`.

    Returns:
        float32 tensor `(batch, num_classes)`; rows sum to 1.

    Reference:
        Guo et al., 2017, arXiv:1706.04599.
    """

    def __init__(self, temperature: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32", **kwargs})
        self.temperature = temperature

    def call(self, logits: Any) -> Any:
        return ops.softmax(ops.cast(logits, "float32") / self.temperature, axis=-1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "temperature": self.temperature}
