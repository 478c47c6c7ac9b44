"""What an attack may ask of a network, and the pictures that it changes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf

Cost = Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor]
"""From logits `(rows, num_classes)`, class ids and classes aimed at, both `(rows,)`, to what an
attack makes large, `(rows,)`."""


@dataclass(frozen=True, eq=False)
class Pictures:
    """A batch of pictures with their classes.

    Args:
        pixels: float32 `(rows, height, width, channels)` from 0 to 255.
        class_ids: int `(rows,)`, the true ones.
        beside: Arrays `(rows, ...)` by name: what the network reads beside them.
    """

    pixels: np.ndarray
    class_ids: np.ndarray
    beside: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.pixels)

    def take(self, rows: np.ndarray) -> Pictures:
        """Returns some of them."""
        beside = {name: values[rows] for name, values in self.beside.items()}
        return Pictures(self.pixels[rows], self.class_ids[rows], beside)

    def changed(self, pixels: np.ndarray) -> Pictures:
        """Returns the same products with other pictures."""
        return dataclasses.replace(self, pixels=pixels)


class Victim:
    """A network under attack. It is traced once for all attacks of a kind.

    Args:
        score: From float pixels `(rows, height, width, channels)` from 0 to
            255, and what stands beside them by name, to logits
            `(rows, num_classes)`.
    """

    def __init__(self, score: Callable[[tf.Tensor, Mapping[str, tf.Tensor]], tf.Tensor]) -> None:
        self._score = score
        self._graph = tf.function(score, reduce_retracing=True)
        self._slopes: dict[Cost, Any] = {}

    def logits(self, pictures: Pictures) -> np.ndarray:
        """Returns logits `(rows, num_classes)`."""
        return self._graph(tf.constant(pictures.pixels), _constants(pictures.beside)).numpy()

    def fooled(self, pictures: Pictures) -> np.ndarray:
        """Says which pictures are answered wrongly, bool `(rows,)`."""
        return self.logits(pictures).argmax(axis=1) != pictures.class_ids

    def climb(
        self, cost: Cost, pictures: Pictures, aims: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Returns costs `(rows,)`, their gradients like `pixels`, and logits.

        Args:
            cost: What to differentiate; one function, one trace.
            pictures: Where.
            aims: int `(rows,)`, classes that the cost is to lead to, if it is of that kind.
        """
        if cost not in self._slopes:
            self._slopes[cost] = tf.function(self._slope(cost), reduce_retracing=True)
        found = self._slopes[cost](
            tf.constant(pictures.pixels),
            tf.constant(pictures.class_ids, tf.int32),
            tf.constant(pictures.class_ids if aims is None else aims, tf.int32),
            _constants(pictures.beside),
        )
        costs, gradients, logits = (of.numpy() for of in found)
        return costs, gradients, logits

    def _slope(self, cost: Cost) -> Callable[..., Any]:
        def slope(pixels: tf.Tensor, class_ids: tf.Tensor, aims: tf.Tensor, beside: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch(pixels)
                logits = self._score(pixels, beside)
                costs = cost(logits, class_ids, aims)
            gradients = tape.gradient(costs, pixels, unconnected_gradients="zero")
            return costs, gradients, logits

        return slope


def _constants(arrays: Mapping[str, np.ndarray]) -> dict[str, tf.Tensor]:
    return {name: tf.constant(values) for name, values in arrays.items()}
