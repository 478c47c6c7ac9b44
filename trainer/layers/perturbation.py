"""Where perturbations enter a network, and networks that run with them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops


@dataclass(frozen=True)
class Point:
    """A tensor of a network that somebody may change a little.

    Args:
        name: str. What passes there: `pixels`, `tokens`, `text_embedding`, ...
        kind: str. Its modality.
        place: A layer of the network, or the name of one of its inputs.
        before: bool. What the layer reads, in place of what it returns.
        bounds: Smallest and largest valid value, or `None`.
        unit: float. What a size of 1 means there, such as 255 for pixels.
        norm: str. In which a change is measured, if nobody says otherwise.
        size: float. Of a small change in this norm, if nobody says otherwise.
        padding_id: int. Where the layer reads this id, nothing may change.
    """

    name: str
    kind: str
    place: keras.Layer | str
    before: bool = False
    bounds: tuple[float, float] | None = None
    unit: float = 1.0
    norm: str = "l2"
    size: float = 0.1
    padding_id: int | None = None


def pixel_point(scale: keras.Layer) -> Point:
    """Returns the point where a layer reads pixels from 0 to 255: 4 of them are a small change."""
    return Point("pixels", "image", scale, True, (0.0, 255.0), 255.0, "infinity", 4 / 255)


def embedding_point(kind: str, place: keras.Layer | str) -> Point:
    """Returns the point of the embedding of a modality, whose length is about 1."""
    return Point(f"{kind}_embedding", kind, place)


def token_point(layer: keras.Layer, padding_id: int) -> Point:
    """Returns the point where ids of tokens have become vectors; 1 is the length of a mean one."""
    vectors = ops.convert_to_numpy(layer.embeddings)
    unit = float(np.sqrt(np.mean(np.sum(np.square(vectors, dtype=np.float32), axis=1))))
    return Point("tokens", "text", layer, unit=unit, padding_id=padding_id)


@dataclass(frozen=True)
class Value:
    """What passed at a point: a layer that is called several times has one for each call.

    Args:
        point: Where.
        tensor: Float tensor `(batch, ...)`.
        mask: Float tensor that can be broadcast to it, 0 where nothing may change.
    """

    point: Point
    tensor: tf.Tensor
    mask: tf.Tensor | float = 1.0


def run_perturbed(
    model: keras.Model,
    points: Sequence[Point],
    tensors: Mapping[str, tf.Tensor],
    change: Callable[[Value], tf.Tensor],
    *,
    training: bool,
) -> Any:
    """Runs a network whose values at some points are changed on the way.

    Nothing of the network is rebuilt: for the time of the call, its layers
    call `change` in between. So it holds for networks of any kind, those that
    were loaded or changed by a tuning method as well.

    Args:
        model: From tensors by name.
        points: Where; layers of the model, or names of float inputs.
        tensors: Its inputs.
        change: From what passes to what goes on, of the same shape. It is
            called for the same points in the same order each time.
        training: bool. Passed on.

    Returns:
        What the model returns.
    """
    inputs = dict(tensors)
    with contextlib.ExitStack() as hooks:
        for point in points:
            if isinstance(point.place, str):
                inputs[point.place] = change(Value(point, tf.cast(inputs[point.place], tf.float32)))
            else:
                hooks.enter_context(_hooked(point, change))
        return model(inputs, training=training)


@contextlib.contextmanager
def _hooked(point: Point, change: Callable[[Value], tf.Tensor]) -> Iterator[None]:
    layer = point.place
    call = layer.call

    def hooked(inputs: Any, *args: Any, **kwargs: Any) -> Any:
        mask: Any = 1.0
        if point.padding_id is not None:
            mask = tf.cast(inputs != point.padding_id, tf.float32)[..., None]
        if point.before:
            changed = change(Value(point, tf.cast(inputs, tf.float32), mask))
            return call(changed, *args, **kwargs)
        output = call(inputs, *args, **kwargs)
        return tf.cast(change(Value(point, tf.cast(output, tf.float32), mask)), output.dtype)

    # Past Keras, which would look for variables in it.
    layer.__dict__["call"] = hooked
    try:
        yield
    finally:
        del layer.__dict__["call"]
