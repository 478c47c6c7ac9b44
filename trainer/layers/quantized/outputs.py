"""Layers without products, whose results are rounded, or are as their inputs were."""

from __future__ import annotations

from typing import Any

import keras

from trainer.layers.quantized.fake_quant import mark_as
from trainer.layers.quantized.twin import Twin, add_quantizer, twin_of


@twin_of(
    keras.layers.BatchNormalization,
    keras.layers.Add,
    keras.layers.Subtract,
    keras.layers.Multiply,
    keras.layers.Average,
    keras.layers.Activation,
    keras.layers.ReLU,
    keras.layers.GlobalAveragePooling1D,
    keras.layers.GlobalAveragePooling2D,
    keras.layers.AveragePooling2D,
)
class QuantizedOutput(Twin):
    """Rounds the result.

    Attributes:
        rounds_result: bool. False leaves that to the one layer that follows.
    """

    rounds_result: bool = True

    def add_quantizers(self) -> None:
        add_quantizer(self, "output_quantizer")

    def call(self, *args: Any, **kwargs: Any) -> Any:
        values = super().call(*args, **kwargs)
        return self.output_quantizer(values) if self.rounds_result else values


@twin_of(
    keras.layers.MaxPooling1D,
    keras.layers.MaxPooling2D,
    keras.layers.GlobalMaxPooling2D,
    keras.layers.ZeroPadding2D,
    keras.layers.Flatten,
    keras.layers.Reshape,
    keras.layers.Permute,
)
class KeepsGrid(Twin):
    """Returns only values that it was given, or zero, which is on every grid."""

    def call(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        return mark_as(inputs, super().call(inputs, *args, **kwargs))
