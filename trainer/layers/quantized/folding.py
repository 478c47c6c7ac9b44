"""Batch normalisations written into the convolutions before them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from trainer.layers.quantized.twin import find_base


class FoldedNorm(keras.layers.BatchNormalization):
    """Passes on what a convolution already normalises."""

    def call(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        return inputs


def fold_norms(
    model: keras.Model, in_float: Collection[Any] = ()
) -> list[tuple[keras.Layer, keras.Layer]]:
    """Folds each batch normalisation that alone reads a convolution into it, in place.

    Outputs in inference stay the same; the statistics are fixed for good.

    Args:
        model: With functional models at any depth.
        in_float: Layers that are not quantized. A normalisation that is one stays
            as it is, unless the convolution before it is one, too.

    Returns:
        Pairs of convolution and normalisation, which now does nothing.

    Reference:
        Jacob et al., 2017, arXiv:1712.05877, section 3.2, without correction
        to the statistics of a batch: they are fixed here.
    """
    models = [of for of in model._flatten_layers() if isinstance(of, keras.src.models.Functional)]
    read_outside = {id(tensor) for of in models for tensor in of.outputs}
    left = {id(of) for of in in_float}
    pairs = []
    for layer in dict.fromkeys(layer for of in models for layer in of.layers):
        norm = _find_norm(layer, read_outside)
        if norm is not None and (id(norm) not in left or id(layer) in left):
            _fold(layer, norm)
            pairs.append((layer, norm))
    return pairs


def find_readers(layer: keras.Layer) -> Sequence[Any]:
    """Returns which operations of a functional model read what a layer of it returns."""
    if len(layer._inbound_nodes) != 1:
        return []
    return [node.operation for node in layer._outbound_nodes]


def _find_norm(layer: keras.Layer, read_outside: Collection[int]) -> keras.Layer | None:
    """Returns the batch normalisation that alone reads a convolution, and reads nothing else."""
    kinds = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)
    if find_base(type(layer), kinds) is None:
        return None
    readers = find_readers(layer)
    linear = layer.activation in (None, keras.activations.linear)
    if not linear or len(readers) != 1 or id(layer.output) in read_outside:
        return None
    (norm,) = readers
    if type(norm) is not keras.layers.BatchNormalization or len(norm._inbound_nodes) != 1:
        return None
    of_channels = norm.axis in (-1, 3) and layer.data_format == "channels_last"
    return norm if of_channels else None


def _fold(convolution: keras.Layer, norm: keras.Layer) -> None:
    gamma, beta, mean, variance = (
        None if of is None else ops.convert_to_numpy(of).astype(np.float64)
        for of in (norm.gamma, norm.beta, norm.moving_mean, norm.moving_variance)
    )
    factor = (1.0 if gamma is None else gamma) / np.sqrt(variance + norm.epsilon)
    kernel = vars(convolution).get("_kernel", vars(convolution).get("kernel"))
    shape = kernel.shape
    values = ops.convert_to_numpy(kernel).astype(np.float64)
    if isinstance(convolution, keras.layers.DepthwiseConv2D):
        values = values.reshape(*shape[:2], 1, -1)
    kernel.assign((values * factor).reshape(shape).astype(np.float32))
    bias = (0.0 if beta is None else beta) - mean * factor
    if convolution.bias is not None:
        bias = bias + ops.convert_to_numpy(convolution.bias) * factor
    else:
        convolution._tracker.unlock()
        convolution.use_bias = True
        convolution.bias = convolution.add_weight(
            name="bias", shape=bias.shape, initializer="zeros"
        )
        convolution._tracker.lock()
    convolution.bias.assign(bias.astype(np.float32))
    norm._tracker.unlock()
    for weight in (norm.gamma, norm.beta, norm.moving_mean, norm.moving_variance):
        if weight is not None:
            norm._untrack_variable(weight)
    norm._tracker.lock()
    norm.gamma = norm.beta = norm.moving_mean = norm.moving_variance = None
    norm.__class__ = FoldedNorm
