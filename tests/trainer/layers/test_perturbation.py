from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.layers.perturbation import embedding_point, pixel_point, run_perturbed, token_point


def pictures():
    pixels = keras.Input((4, 4, 3), dtype="uint8", name="pixels")
    scale = keras.layers.Rescaling(1 / 255, name="scale")
    output = keras.layers.GlobalAveragePooling2D()(scale(pixels))
    return keras.Model({"pixels": pixels}, output), scale


def run(model, points, tensors, change):
    return run_perturbed(model, points, tensors, change, training=False)


def test_a_layer_reads_what_was_made_of_its_input():
    model, scale = pictures()
    tensors = {"pixels": tf.fill([2, 4, 4, 3], tf.constant(100, tf.uint8))}
    seen = []

    def change(value):
        seen.append(value)
        return value.tensor + 27.5

    found = run(model, [pixel_point(scale)], tensors, change)
    np.testing.assert_allclose(found, np.full((2, 3), 0.5), rtol=1e-6)
    (value,) = seen
    assert (value.point.bounds, value.point.unit) == ((0, 255), 255)
    assert value.tensor.dtype == tf.float32
    np.testing.assert_array_equal(value.tensor, tensors["pixels"])
    # Nothing stays behind, whatever happens in between.
    assert "call" not in vars(scale)
    with pytest.raises(KeyError, match="stop"):
        run(model, [pixel_point(scale)], tensors, lambda value: {}["stop"])
    assert "call" not in vars(scale)
    np.testing.assert_allclose(model(tensors), np.full((2, 3), 100 / 255), rtol=1e-6)


def test_an_input_may_be_changed_without_a_layer():
    inputs = keras.Input([3], name="text")
    model = keras.Model({"text": inputs}, keras.layers.Rescaling(2.0)(inputs))
    found = run(
        model,
        [embedding_point("text", "text")],
        {"text": tf.ones([1, 3])},
        lambda value: tf.constant([[1.0, 2.0, 3.0]]) + value.tensor,
    )
    np.testing.assert_allclose(found, [[4, 6, 8]])


def test_tokens_say_which_are_padding_and_how_long_they_are():
    """A layer that is called twice has two values, in the order of the calls."""
    ids = keras.Input([3], dtype="int32", name="ids")
    layer = keras.layers.Embedding(5, 4)
    model = keras.Model({"ids": ids}, layer(ids) + 10 * layer(ids + 1))
    vectors = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    layer.set_weights([vectors])
    point = token_point(layer, padding_id=0)
    np.testing.assert_allclose(point.unit**2, (vectors**2).sum(axis=1).mean(), rtol=1e-5)
    seen = []

    def change(value):
        seen.append(value)
        return value.tensor + len(seen) * value.mask

    found = run(model, [point], {"ids": tf.constant([[3, 1, 0]])}, change)
    np.testing.assert_array_equal(seen[0].mask[..., 0], [[1, 1, 0]])
    np.testing.assert_array_equal(seen[1].mask[..., 0], [[1, 1, 1]])
    added = np.array([1, 1, 0])[:, None] + 10 * 2
    np.testing.assert_allclose(
        found[0], vectors[[3, 1, 0]] + 10 * vectors[[4, 2, 1]] + added, rtol=1e-5
    )
