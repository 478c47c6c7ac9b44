"""Dense layers and convolutions with weights and values of 8 bits."""

from __future__ import annotations

import abc
import math
import re
from typing import Any

import keras
import tensorflow as tf
from keras import ops

from trainer.layers.quantized.twin import Twin, add_quantizer, twin_of

LINEAR = (None, keras.activations.linear)
# What integer kernels compute in one go with the product before.
RECTIFIERS = (keras.activations.relu, keras.activations.relu6)


class QuantizedKernel(Twin):
    """Rounds the inputs, the kernel channel by channel, and the result.

    Attributes:
        rounds_result: bool. False leaves that to the one layer that follows,
            whose ReLU a device computes together with the product.
        for_device: bool. Writes products as convolutions of one pixel, which is
            how converters keep a scale for each channel.
    """

    rounds_result: bool = True
    for_device: bool = False

    def add_quantizers(self) -> None:
        for name in ("input", "product", "output"):
            add_quantizer(self, f"{name}_quantizer")

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        x = self.multiply(self.input_quantizer(inputs))
        if self.activation in LINEAR:
            return self.output_quantizer(x) if self.rounds_result else x
        if self.activation not in RECTIFIERS:
            x = self.product_quantizer(x)
        return self.output_quantizer(self.activation(x))

    @abc.abstractmethod
    def multiply(self, x: Any) -> Any:
        """Returns the product with the rounded kernel, and the bias added."""


@twin_of(keras.layers.Conv1D, keras.layers.Conv2D)
class QuantizedConv(QuantizedKernel):
    def multiply(self, x: Any) -> Any:
        kernel = self.round_channels(self._kernel)
        return _add_bias(self.convolution_op(x, tf.cast(kernel, x.dtype)), self.bias)


@twin_of(keras.layers.DepthwiseConv2D)
class QuantizedDepthwiseConv(QuantizedKernel):
    def multiply(self, x: Any) -> Any:
        own = vars(self)["kernel"]
        height, width, channels, multiplier = own.shape
        flat = tf.reshape(own, (height, width, 1, channels * multiplier))
        kernel = tf.reshape(self.round_channels(flat), own.shape)
        product = ops.depthwise_conv(
            x,
            tf.cast(kernel, x.dtype),
            strides=self.strides,
            padding=self.padding,
            dilation_rate=self.dilation_rate,
        )
        return _add_bias(product, self.bias)


@twin_of(keras.layers.Dense)
class QuantizedDense(QuantizedKernel):
    """Can even out its channels, which the weights take back.

    Attributes:
        evens_inputs: bool. Divides the channels of the inputs: one more
            multiplication on a device, where these are float anyway.
        evens_outputs: bool. Rounds the result with evened channels, and
            multiplies them again: it goes on as float.
    """

    evens_inputs: bool = False
    evens_outputs: bool = False

    def add_quantizers(self) -> None:
        inputs, outputs = self.matrix_shape()
        add_quantizer(self, "input_quantizer", channels=inputs * self.evens_inputs, strength=0.5)
        add_quantizer(self, "product_quantizer")
        add_quantizer(self, "output_quantizer", channels=outputs * self.evens_outputs)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        if self.evens_inputs:
            inputs = inputs / tf.cast(self.input_quantizer.scales.value, inputs.dtype)
        result = super().call(inputs)
        if self.evens_outputs:
            result = result * tf.cast(self.output_quantizer.scales.value, result.dtype)
        return result

    def matrix_shape(self) -> tuple[int, ...]:
        """Returns how many inputs and outputs the matrix has that the kernel stands for."""
        return tuple(self._kernel.shape)

    def multiply(self, x: Any) -> Any:
        return self.project(x, tf.convert_to_tensor(self._kernel), self.bias)

    def project(self, x: Any, matrix: Any, bias: Any) -> Any:
        """Multiplies `(..., inputs)` by a matrix `(inputs, outputs)`, which it rounds."""
        if self.evens_inputs:
            matrix = matrix * self.input_quantizer.scales.value[:, None]
        if self.evens_outputs:
            matrix = matrix / self.output_quantizer.scales.value
            bias = None if bias is None else bias / self.output_quantizer.scales.value
        if not self.for_device:
            kernel = tf.cast(self.round_channels(matrix), x.dtype)
            product = x @ kernel if len(x.shape) == 2 else tf.tensordot(x, kernel, 1)
            return _add_bias(product, bias)
        # Rounded in its last shape: converters lose the scales of the channels in a later one.
        kernel = tf.cast(self.round_channels(matrix[None, None]), x.dtype)
        pixels = tf.reshape(x, (-1, 1, 1, x.shape[-1]))
        # The bias comes first, or no converter sees that it belongs to the product.
        product = _add_bias(tf.nn.conv2d(pixels, kernel, 1, "VALID"), bias)
        return tf.reshape(product, _as_shape([*_sizes(x)[:-1], matrix.shape[-1]]))


@twin_of(keras.layers.EinsumDense)
class QuantizedEinsumDense(QuantizedDense):
    """Sees the kernel as the matrix that it stands for, or as one matrix for each of several."""

    def matrix_shape(self) -> tuple[int, ...]:
        _, summed, made = self._split_axes()
        size = dict(zip(self._axes()[1], self._kernel.shape, strict=True))
        return tuple(math.prod(size[axis] for axis in axes) for axes in (summed, made))

    def multiply(self, x: Any) -> Any:
        read, weights, written = self._axes()
        shared, summed, made = self._split_axes()
        batch = [axis for axis in read if axis not in weights]
        order = shared + summed + made
        matrices = ops.transpose(self._kernel, [weights.index(axis) for axis in order])
        size = dict(zip(read, _sizes(x), strict=True))
        size.update(zip(weights, self._kernel.shape, strict=True))
        # Rows last, and one matrix after the other, whatever order the equation has.
        x = ops.transpose(x, [read.index(axis) for axis in shared + batch + summed])
        inputs, outputs = self.matrix_shape()
        rows = [size[axis] for axis in batch] + [inputs]
        bias = self._matrix_bias(shared + made, size)
        if shared:
            x = tf.reshape(x, [-1, *rows])
            matrices = tf.reshape(matrices, [-1, inputs, outputs])
            bias = [None] * matrices.shape[0] if bias is None else bias
            parts = range(matrices.shape[0])
            products = [self.project(x[i], matrices[i], bias[i]) for i in parts]
            if self.activation in LINEAR and self.rounds_result:
                # Side by side they can only be on one grid: rounded before, not after.
                products = [self.output_quantizer(of) for of in products]
            product = tf.stack(products)
        else:
            bias = None if bias is None else bias[0]
            matrix = tf.reshape(matrices, [inputs, outputs])
            product = self.project(tf.reshape(x, _as_shape(rows)), matrix, bias)
        axes = shared + batch + made
        product = tf.reshape(product, _as_shape([size[axis] for axis in axes]))
        return ops.transpose(product, [axes.index(axis) for axis in written])

    def _matrix_bias(self, axes: list[str], size: dict[str, Any]) -> Any:
        """Returns the bias of each matrix, `(matrices, outputs)`, or `None`."""
        if self.bias is None:
            return None
        own = [axis for axis in self._axes()[2] if axis in axes]
        # Its first axes may be left out where it is the same along them.
        shape = [1] * (len(own) - len(self.bias.shape)) + list(self.bias.shape)[-len(own) :]
        bias = ops.transpose(ops.reshape(self.bias, shape), [own.index(axis) for axis in axes])
        bias = ops.broadcast_to(bias, [size[axis] for axis in axes])
        return ops.reshape(bias, (-1, self.matrix_shape()[1]))

    def _axes(self) -> list[str]:
        """Returns the axes of the inputs, the kernel and the result."""
        return re.split(",|->", self.equation)

    def _split_axes(self) -> tuple[list[str], list[str], list[str]]:
        """Returns axes of the kernel: of several matrices, of their inputs, of their outputs."""
        read, weights, written = self._axes()
        shared = [axis for axis in weights if axis in read and axis in written]
        summed = [axis for axis in weights if axis in read and axis not in written]
        return shared, summed, [axis for axis in weights if axis not in read]


def _add_bias(product: Any, bias: Any) -> Any:
    return product if bias is None else product + tf.cast(bias, product.dtype)


def _sizes(x: Any) -> list[Any]:
    dynamic = tf.shape(x)
    return [dynamic[axis] if size is None else size for axis, size in enumerate(x.shape)]


def _as_shape(sizes: list[Any]) -> list[Any]:
    """Returns sizes of which one may be left to be found: its tensor would be one more reader."""
    unknown = [axis for axis, size in enumerate(sizes) if not isinstance(size, int)]
    if len(unknown) != 1:
        return sizes
    return [-1 if axis == unknown[0] else size for axis, size in enumerate(sizes)]
