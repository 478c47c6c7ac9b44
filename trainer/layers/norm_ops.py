"""Steps and balls in the norms that perturbations are measured in."""

from __future__ import annotations

import tensorflow as tf

NORMS = ("infinity", "l2")
_TINY = 1e-12


def steepest(gradients: tf.Tensor, norm: str) -> tf.Tensor:
    """Returns the perturbation of length 1 along which a linear loss rises most, row by row.

    Args:
        gradients: float tensor `(batch, ...)`.
        norm: `"infinity"` (the largest change of any value) or `"l2"`.

    Returns:
        Tensor of the same shape; zeros where the gradient is zero.
    """
    if norm == "infinity":
        return tf.sign(gradients)
    return gradients / tf.maximum(_lengths(gradients), _TINY)


def project(delta: tf.Tensor, norm: str, radius: tf.Tensor | float) -> tf.Tensor:
    """Returns the perturbations that are nearest to given ones and no longer than `radius`.

    Args:
        delta: float tensor `(batch, ...)`.
        norm: As for `steepest`.
        radius: float, or tensor that can be broadcast.
    """
    if norm == "infinity":
        return tf.clip_by_value(delta, -radius, radius)
    return delta * tf.minimum(1.0, radius / tf.maximum(_lengths(delta), _TINY))


def draw_inside(like: tf.Tensor, norm: str, seed: tf.Tensor) -> tf.Tensor:
    """Draws perturbations of at most length 1, evenly from the cube or the ball, row by row."""
    shape = tf.shape(like)
    if norm == "infinity":
        return tf.random.stateless_uniform(shape, seed, -1.0, 1.0)
    direction_seed, length_seed = tf.unstack(tf.random.split(seed, 2))
    direction = steepest(tf.random.stateless_normal(shape, direction_seed), norm)
    size = tf.cast(tf.reduce_prod(shape[1:]), tf.float32)
    rows = tf.concat([shape[:1], tf.ones_like(shape[1:])], axis=0)
    return direction * tf.random.stateless_uniform(rows, length_seed) ** (1.0 / size)


def _lengths(values: tf.Tensor) -> tf.Tensor:
    axes = list(range(1, len(values.shape)))
    return tf.sqrt(tf.reduce_sum(tf.square(values), axis=axes, keepdims=True))
