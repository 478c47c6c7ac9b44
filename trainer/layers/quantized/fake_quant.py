"""Values on a grid of 8 bits that stay floats, with gradients that pass straight through."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

NUM_BITS = 8
# Steps on either side of zero, where it is in the middle.
_BELOW_ZERO, _ABOVE_ZERO = 2 ** (NUM_BITS - 1), 2 ** (NUM_BITS - 1) - 1
# What is all zeros needs a range, too.
_TINY = 1e-6
# So that the largest weight of a channel is not beyond its own range by a rounding of floats, where
# it would have no gradient.
_WIDER = 1 + 1e-6


def is_quantized(values: Any) -> bool:
    """Says whether a tensor came from a quantizer, so that another would only round again."""
    return getattr(values, "_taxofuse_quantized", False)


def mark_quantized(values: Any) -> Any:
    """Remembers, as Keras does with its masks, that the values are on a grid."""
    values._taxofuse_quantized = True
    return values


def mark_as(source: Any, values: Any) -> Any:
    """Marks values that were only moved if those were marked that they were moved from."""
    return mark_quantized(values) if is_quantized(source) else values


def quantize_channels(kernel: Any) -> Any:
    """Rounds weights to 255 steps around zero, as wide as each channel's largest needs.

    Args:
        kernel: float tensor `(..., channels)` of rank 2 or 4.

    Returns:
        float32 tensor of the same shape; its gradient is that of the identity.
    """
    kernel = tf.cast(kernel, tf.float32)
    axes = list(range(len(kernel.shape) - 1))
    largest = tf.stop_gradient(tf.maximum(tf.reduce_max(tf.abs(kernel), axes), _TINY))
    largest *= _WIDER
    return tf.quantization.fake_quant_with_min_max_vars_per_channel(
        kernel, -largest, largest, NUM_BITS, narrow_range=True
    )


def quantize_table(table: Any) -> Any:
    """Rounds the vectors of a table to 255 steps around zero, the same for all."""
    table = tf.cast(table, tf.float32)
    largest = tf.stop_gradient(tf.maximum(tf.reduce_max(tf.abs(table)), _TINY))
    return tf.quantization.fake_quant_with_min_max_vars(
        table, -largest, largest, NUM_BITS, narrow_range=True
    )


class FakeQuant(keras.layers.Layer):
    """Rounds what passes to 255 even steps from the smallest to the largest value seen there.

    Zero is always one of the values. Until it has seen any (`observing`), it
    lets everything pass as it is; what another has rounded already, it always does.

    Args:
        decay: float. Of the moving averages that the ends follow outwards in training.
        fixed: The ends where they are known beforehand.
        channels: int. Where above 0, each channel of the last axis is to be
            divided by one of `scales` before, so that a few large ones do not
            make the steps of all others coarse.
        strength: float. From 0, which leaves all channels as they are, to 1,
            which makes all of them equally large.
        centred: bool. Makes both ends equally far from zero, which becomes the
            middle of the steps.

    Call arguments:
        inputs: float tensor of any shape, divided by `scales`.
        training: bool.

    Returns:
        Tensor of the same shape and type. The gradient passes where a value was
        inside the range.

    Reference:
        Jacob et al., 2017, arXiv:1712.05877; the ends are found on some batches
        before training, not after its first steps, and do not come nearer again. The
        scales are those of Xiao et al., 2022, arXiv:2211.10438, from the activations alone.
    """

    def __init__(
        self,
        decay: float = 0.99,
        fixed: tuple[float, float] | None = None,
        channels: int = 0,
        strength: float = 1.0,
        centred: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.decay = decay
        self.fixed = fixed
        self.channels = channels
        self.strength = strength
        self.centred = centred
        self.observing = False
        # Known outside of graphs: an idle quantizer must leave no trace in an exported one.
        self.is_set = fixed is not None

    def build(self, *_: Any) -> None:
        self.low, self.high = (
            self._add_state(name, (), end)
            for name, end in zip(("low", "high"), self.fixed or (0.0, 0.0), strict=True)
        )
        if self.channels:
            self.scales = self._add_state("scales", (self.channels,), 1.0)
            self.lows = self._add_state("lows", (self.channels,), 0.0)
            self.highs = self._add_state("highs", (self.channels,), 0.0)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        if is_quantized(inputs):
            return inputs
        if self.observing:
            self._observe(inputs)
            self.is_set = True
            # Unmarked: who reads them next may be the one that rounds, once this twin is idle.
            return inputs
        if not self.is_set:
            return inputs
        if training and not self.fixed:
            self._follow(inputs)
        values = tf.quantization.fake_quant_with_min_max_vars(
            tf.cast(inputs, tf.float32), *self._find_range(), NUM_BITS
        )
        return mark_quantized(tf.cast(values, inputs.dtype))

    def settle(self) -> None:
        """Makes what was observed the range, and the scales."""
        self.observing = False
        if not self.channels or not self.is_set:
            return
        lows, highs = (ops.convert_to_numpy(of) for of in (self.lows, self.highs))
        peaks = np.maximum(-lows, highs)
        # A channel that was silent so far may speak up to the typical level.
        peaks = np.maximum(peaks, np.median(peaks) / 8 + _TINY)
        scales = (peaks / peaks.max()) ** self.strength
        self.scales.assign(scales)
        self.low.assign((lows / scales).min())
        self.high.assign((highs / scales).max())

    def refresh(self) -> None:
        """Takes note of a range that was loaded."""
        self.is_set = float(ops.convert_to_numpy(self.high - self.low)) > 0

    def _find_range(self) -> tuple[Any, Any]:
        if not self.centred:
            return self.low.value, self.high.value
        farthest = tf.maximum(-self.low.value, self.high.value)
        return -farthest * _BELOW_ZERO / _ABOVE_ZERO, farthest

    def _observe(self, inputs: Any) -> None:
        low, high = _find_ends(inputs, (-1,))
        self.low.assign(tf.minimum(self.low.value, low))
        self.high.assign(tf.maximum(self.high.value, high))
        if self.channels:
            lows, highs = _find_ends(inputs, (-1, self.channels))
            self.lows.assign(tf.minimum(self.lows.value, lows))
            self.highs.assign(tf.maximum(self.highs.value, highs))

    def _follow(self, inputs: Any) -> None:
        # Outwards alone: the ends of most batches are nearer than those of all, and a range that
        # follows them in cuts off what comes next.
        low, high = _find_ends(inputs, (-1,))
        self.low.assign_add((1 - self.decay) * tf.minimum(low - self.low.value, 0.0))
        self.high.assign_add((1 - self.decay) * tf.maximum(high - self.high.value, 0.0))

    def _add_state(self, name: str, shape: tuple[int, ...], value: float) -> Any:
        return self.add_weight(
            name=name,
            shape=shape,
            initializer=keras.initializers.Constant(value),
            dtype="float32",
            trainable=False,
            autocast=False,
            aggregation="mean",
        )


def _find_ends(inputs: Any, shape: tuple[int, ...]) -> tuple[Any, Any]:
    """Returns the smallest and the largest values over the first axis of a shape, and zero."""
    values = tf.reshape(tf.stop_gradient(tf.cast(inputs, tf.float32)), shape)
    low = tf.minimum(tf.reduce_min(values, axis=0), 0.0)
    return low, tf.maximum(tf.reduce_max(values, axis=0), low + _TINY)
