"""Layers that compute as on a device with integers: which class stands in for which."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import keras
import tensorflow as tf

from trainer.layers.quantized.fake_quant import FakeQuant, quantize_channels, quantize_table

Part = TypeVar("Part", bound=type)
_TWINS: dict[type, type] = {}


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
    """Returns a decorator that registers a part for layers of some classes and their heirs."""

    def add(part: Part) -> Part:
        _TWINS.update(dict.fromkeys(classes, part))
        return part

    return add


def find_twin(cls: type) -> type | None:
    """Returns the part for layers of a class, or `None`."""
    return next((_TWINS[base] for base in cls.__mro__ if base in _TWINS), None)


def become_twin(layer: keras.Layer) -> None:
    """Makes a built layer its quantized twin, in place: blocks and graphs go on holding it."""
    part = find_twin(type(layer))
    if part is None:
        raise TypeError(f"No quantized twin is known for {type(layer).__name__}.")
    layer.__class__ = _twin_class(part, type(layer))
    layer._tracker.unlock()
    layer.add_quantizers()
    layer._tracker.lock()


def set_idle(layer: keras.Layer, idle: bool) -> None:
    """Makes a twin round neither values nor weights, or round them again.

    Idle, it has the class that it had before: it computes as that one does. Graphs
    that were traced before stay as they are.

    Args:
        layer: That has become a twin, idle or not.
        idle: bool.
    """
    cls = type(layer).__bases__[1] if isinstance(layer, Twin) else type(layer)
    layer.__class__ = cls if idle else _twin_class(find_twin(cls), cls)


def add_quantizer(layer: Any, name: str, **options: Any) -> None:
    """Gives a layer a built `FakeQuant` of that name."""
    quantizer = FakeQuant(name=name, **options)
    quantizer.build()
    setattr(layer, name, quantizer)


@functools.cache
def _twin_class(part: type, cls: type) -> type:
    return type(f"Quantized{cls.__name__}", (part, cls), {})
