"""What each part of an input adds to an output, by gradients along a path to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import keras
import tensorflow as tf

from trainer.layers.perturbation import Point, Value, run_perturbed

NUM_REGIONS = 8
"""A picture is told of by so many regions across and down."""
PIXEL_STEPS, TOKEN_STEPS = 8, 8


def integrate_slopes(
    score: Callable[[list[tf.Tensor]], tf.Tensor], values: Sequence[tf.Tensor], steps: int
) -> list[tf.Tensor]:
    """Averages gradients on the straight way from zeros to some values.

    Args:
        score: From tensors like `values`, with `steps` times as many rows, to
            a scalar a row `(steps * batch,)`.
        values: float tensors `(batch, ...)`.
        steps: int. Of the way, the middle of each is taken.

    Returns:
        Tensors like `values`. Times the values, summed over all, they make up
        the difference of the scores at both ends, but for the error of the sum.

    Reference:
        Integrated gradients: Sundararajan et al., 2017, arXiv:1703.01365.
    """
    batch = tf.shape(values[0])[0]
    shares = tf.repeat(_middles(steps), batch)
    ways = [_times(tf.tile(of, [steps] + [1] * (of.shape.rank - 1)), shares) for of in values]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(ways)
        total = tf.reduce_sum(score(ways))
    slopes = tape.gradient(total, ways, unconnected_gradients="zero")
    return [
        tf.reduce_mean(tf.reshape(slope, tf.concat([[steps, batch], tf.shape(of)[1:]], 0)), axis=0)
        for slope, of in zip(slopes, values, strict=True)
    ]


def attribute_to_points(
    encoder: keras.Model,
    points: Sequence[Point],
    tensors: Mapping[str, tf.Tensor],
    slope: tf.Tensor,
    steps: int,
    baseline: Callable[[Value], tf.Tensor] | None = None,
) -> list[tf.Tensor]:
    """Splits what an embedding adds to an output among the values that pass at some points.

    Integrated gradients of `slope * embedding`, from the baseline to what the
    product has there. All steps run as one batch of this one product, so that
    memory does not grow with the batch, nor one product's answer with others.

    Args:
        encoder: From tensors by name to an embedding `(batch, dim)`.
        points: Where, see `Encoder.find_points`.
        tensors: What it reads of one product, `(1, ...)` by name.
        slope: float tensor `(dim,)`, of the output by the embedding.
        steps: int.
        baseline: From a value to one of the same shape that says nothing;
            zeros by default.

    Returns:
        For each value that passes a float tensor `(rows, ...)` without its last
        axis, channels or hidden dimensions, over which it is summed; a product
        may have several rows there, such as windows.
    """
    repeated = {name: tf.repeat(of, steps, axis=0) for name, of in tensors.items()}
    differences: list[tf.Tensor] = []
    reached: list[tf.Tensor] = []
    with tf.GradientTape(watch_accessed_variables=False) as tape:

        def change(value: Value) -> tf.Tensor:
            start = tf.zeros_like(value.tensor) if baseline is None else baseline(value)
            difference = (value.tensor - start) * value.mask
            rows = tf.shape(difference)[0] // steps
            moved = value.tensor - _times(difference, 1.0 - tf.repeat(_middles(steps), rows))
            tape.watch(moved)
            differences.append(difference)
            reached.append(moved)
            return moved

        embedding = run_perturbed(encoder, points, repeated, change, training=False)
        total = tf.reduce_sum(tf.cast(embedding, tf.float32) * slope)
    slopes = tape.gradient(total, reached, unconnected_gradients="zero")
    found = []
    for gradient, difference in zip(slopes, differences, strict=True):
        parts = tf.reduce_sum(gradient * difference, axis=-1)
        shape = tf.concat([[steps, -1], tf.shape(parts)[1:]], axis=0)
        found.append(tf.reduce_mean(tf.reshape(parts, shape), axis=0))
    return found


def explain_pixels(
    encoder: keras.Model, point: Point, tensors: Mapping[str, tf.Tensor], slope: tf.Tensor
) -> tf.Tensor:
    """Attributes to the regions of one picture, from its mean colour: `(NUM_REGIONS,) * 2`."""
    found = attribute_to_points(encoder, [point], tensors, slope, PIXEL_STEPS, mean_colour)
    return sum_regions(tf.reduce_sum(tf.concat(found, axis=0), axis=0))


def explain_tokens(
    encoder: keras.Model, point: Point, tensors: Mapping[str, tf.Tensor], slope: tf.Tensor
) -> tf.Tensor:
    """Attributes to the tokens of one text, from padding: all that pass at the point, in order."""
    found = attribute_to_points(encoder, [point], tensors, slope, TOKEN_STEPS, padding)
    return tf.concat([tf.reshape(of, [-1]) for of in found], axis=0)


def padding(value: Value) -> tf.Tensor:
    """Returns vectors `(rows, tokens, hidden_dim)` of padding, which say nothing."""
    vector = tf.cast(value.point.place.embeddings[value.point.padding_id], tf.float32)
    return tf.broadcast_to(vector, tf.shape(value.tensor))


def mean_colour(value: Value) -> tf.Tensor:
    """Returns pictures `(rows, height, width, channels)` that are all of their mean colour."""
    mean = tf.reduce_mean(value.tensor, axis=(1, 2), keepdims=True)
    return tf.broadcast_to(mean, tf.shape(value.tensor))


def sum_regions(pixels: tf.Tensor) -> tf.Tensor:
    """Sums `(height, width)` over regions: `(NUM_REGIONS, NUM_REGIONS)`, from the top left."""
    down, across = (_members(size) for size in tf.unstack(tf.shape(pixels)))
    return tf.linalg.matmul(tf.linalg.matmul(down, pixels), across, transpose_b=True)


def _middles(steps: int) -> tf.Tensor:
    return (tf.range(steps, dtype=tf.float32) + 0.5) / steps


def _times(values: tf.Tensor, factors: tf.Tensor) -> tf.Tensor:
    """Multiplies rows `(n, ...)` by a factor each `(n,)`."""
    return values * tf.reshape(factors, [-1] + [1] * (values.shape.rank - 1))


def _members(size: tf.Tensor) -> tf.Tensor:
    """Returns float32 `(NUM_REGIONS, size)`, 1 where a pixel is in a region."""
    regions = tf.range(size) * NUM_REGIONS // size
    return tf.one_hot(regions, NUM_REGIONS, axis=0)
