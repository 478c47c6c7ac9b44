"""Layers that compute as on a device with integers: which class stands in for which."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection
from typing import Any, TypeVar

import keras
import tensorflow as tf

from trainer.layers.quantized.fake_quant import FakeQuant, quantize_channels, quantize_table

Part = TypeVar("Part", bound=type)
_TWINS: dict[type, type] = {}
# A class with its own one of these computes something else than the one that it is derived from.
_COMPUTES = ("call", "_compute_attention", "kernel", "embeddings")


class Twin(keras.layers.Layer):
    """What a layer is given to become quantized; put before its class.

    Attributes:
        rounds_weights: bool. False while ranges are found: weights that do not
            bear rounding would give all layers behind them wrong ones.
    """

    rounds_weights: bool = True

    def add_quantizers(self) -> None:
        """Makes what it needs beside the layer's own weights."""

    def round_channels(self, kernel: Any) -> Any:
        """Returns a kernel `(..., channels)` with 8 bits, or as it is."""
        return quantize_channels(kernel) if self.rounds_weights else tf.cast(kernel, tf.float32)

    def round_table(self, table: Any) -> Any:
        """Returns a table of vectors with 8 bits, or as it is."""
        return quantize_table(table) if self.rounds_weights else tf.cast(table, tf.float32)


def twin_of(*classes: type) -> Callable[[Part], Part]:
    """Returns a decorator that registers a part for layers of some classes.

    It is that of their heirs, too, that compute as they do.
    """

    def add(part: Part) -> Part:
        _TWINS.update(dict.fromkeys(classes, part))
        return part

    return add


def find_twin(cls: type) -> type | None:
    """Returns the part for layers of a class, or `None`."""
    base = find_base(cls, _TWINS)
    return None if base is None else _TWINS[base]


def find_base(cls: type, known: Collection[type]) -> type | None:
    """Returns the one of some known classes that a class computes as, or `None`."""
    for base in cls.__mro__:
        if base in known:
            return base
        if any(name in vars(base) for name in _COMPUTES):
            return None
    return None


def become_twin(layer: keras.Layer) -> None:
    """Makes a built layer its quantized twin, in place: blocks and graphs go on holding it."""
    part = find_twin(type(layer))
    if part is None:
        raise TypeError(f"No quantized twin is known for {type(layer).__name__}.")
    layer.__class__ = _twin_class(part, type(layer))
    layer._tracker.unlock()
    layer.add_quantizers()
    layer._tracker.lock()


class InFloat(Twin):
    """Computes as the layer did before it was a twin, on a device, too.

    Attributes:
        for_device: bool. Hides its weights from the converter, which rounds
            those of a layer in float, too, where it stands between two of integers.
    """

    for_device: bool = False

    def call(self, *args: Any, **kwargs: Any) -> Any:
        has_weights = self._trainable_variables or self._non_trainable_variables
        if self.for_device and has_weights:
            args, kwargs = tf.nest.map_structure(_pass_as_float, (args, kwargs))
        return super().call(*args, **kwargs)


def set_idle(layer: keras.Layer, idle: bool) -> None:
    """Makes a layer round neither values nor weights, or a twin round them again.

    Graphs that were traced before stay as they are.

    Args:
        layer: Idle, it may be any; otherwise it has been a twin before.
        idle: bool.
    """
    # On its way to a device it may have become another class since.
    cls = getattr(type(layer), "plain_class", type(layer))
    layer.__class__ = _twin_class(InFloat if idle else find_twin(cls), cls)


def _pass_as_float(values: Any) -> Any:
    """Adds a zero that converters cannot foresee, by an operation that none knows for integers."""
    if not tf.is_tensor(values) or not values.dtype.is_floating:
        return values
    first = tf.reshape(values, [-1])[0]
    return values + tf.floor(tf.sigmoid(-tf.abs(first)))


def add_quantizer(layer: Any, name: str, **options: Any) -> None:
    """Gives a layer a built `FakeQuant` of that name."""
    quantizer = FakeQuant(name=name, **options)
    quantizer.build()
    setattr(layer, name, quantizer)


@functools.cache
def _twin_class(part: type, cls: type) -> type:
    return type(f"Quantized{cls.__name__}", (part, cls), {"plain_class": cls})
