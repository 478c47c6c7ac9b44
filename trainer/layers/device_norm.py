"""Layer normalisation in operations that a device computes in one go."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


class DeviceNorm(keras.layers.Layer):
    """Put before the class of a layer normalisation of the last axis.

    Keras multiplies scale and deviation first, which makes of two vectors another
    array as large as the input, and of the mean yet another.
    """

    def call(self, inputs: Any, mask: Any = None) -> Any:
        values = ops.cast(inputs, "float32")
        values = values - ops.mean(values, axis=-1, keepdims=True)
        variance = ops.mean(values * values, axis=-1, keepdims=True)
        values = values * ops.rsqrt(variance + self.epsilon)
        if self.scale:
            values = values * ops.cast(self.gamma, "float32")
        if self.center:
            values = values + ops.cast(self.beta, "float32")
        return ops.cast(values, self.compute_dtype)
