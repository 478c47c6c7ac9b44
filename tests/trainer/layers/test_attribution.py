import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.layers.attribution import (
    NUM_REGIONS,
    attribute_to_points,
    blur,
    integrate_slopes,
    sum_regions,
)
from trainer.layers.perturbation import Value, pixel_point


def test_slopes_of_what_is_linear_are_its_weights():
    rng = np.random.default_rng(0)
    weights = [tf.constant(rng.normal(size=width), tf.float32) for width in (3, 4)]
    values = [tf.constant(rng.normal(size=(2, width)), tf.float32) for width in (3, 4)]
    found = integrate_slopes(
        lambda ways: tf.add_n(
            [tf.linalg.matvec(of, w) for of, w in zip(ways, weights, strict=True)]
        ),
        values,
        steps=5,
    )
    for slope, weight in zip(found, weights, strict=True):
        np.testing.assert_allclose(slope, np.tile(weight, (2, 1)), rtol=1e-6)


def test_integrated_slopes_make_up_the_difference():
    """And are those of the closed form: of x y from (0, 0), half of the product each."""
    x, y = tf.constant([[2.0], [-1.0]]), tf.constant([[3.0], [4.0]])
    own, other = integrate_slopes(lambda ways: (ways[0] * ways[1])[:, 0], [x, y], steps=64)
    np.testing.assert_allclose(own * x, x * y / 2, rtol=1e-5)
    np.testing.assert_allclose(other * y, x * y / 2, rtol=1e-5)
    (slope,) = integrate_slopes(lambda ways: tf.exp(ways[0])[:, 0], [x], steps=64)
    np.testing.assert_allclose(slope * x, np.exp(x) - 1, rtol=1e-3)


@pytest.fixture(scope="module")
def encoder():
    keras.utils.set_random_seed(0)
    pixels = keras.Input((16, 12, 3), dtype="uint8", name="pixels")
    x = keras.layers.Rescaling(1 / 255, name="scale")(pixels)
    x = keras.layers.Conv2D(4, 3, activation="gelu")(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model({"pixels": pixels}, keras.layers.UnitNormalization()(x))


def test_pixels_make_up_the_difference_to_the_baseline(encoder):
    picture = np.random.default_rng(0).integers(0, 256, (1, 16, 12, 3)).astype(np.uint8)
    slope = tf.constant([1.0, -2.0, 0.5, 3.0])
    point = pixel_point(encoder.get_layer("scale"))
    (found,) = attribute_to_points(
        encoder, [point], {"pixels": tf.constant(picture)}, slope, 64, blur
    )
    assert found.shape == (1, 16, 12)
    pixels = tf.constant(picture, tf.float32)
    start = blur(Value(point, pixels))
    assert np.abs(start - pixels).max() > 50
    scaled = keras.Model(encoder.get_layer("scale").output, encoder.output)
    ends = [float(tf.reduce_sum(scaled(of / 255)[0] * slope)) for of in (pixels, start)]
    assert abs(ends[0] - ends[1]) > 1e-3
    np.testing.assert_allclose(tf.reduce_sum(found), ends[0] - ends[1], rtol=1e-3)


@pytest.mark.parametrize("size", [(8, 8), (32, 20), (5, 224)])
def test_regions_hold_all_pixels(size):
    pixels = np.random.default_rng(0).normal(size=size).astype(np.float32)
    found = sum_regions(tf.constant(pixels)).numpy()
    assert found.shape == (NUM_REGIONS, NUM_REGIONS)
    np.testing.assert_allclose(found.sum(), pixels.sum(), rtol=1e-4)
    corner = pixels[: -(-size[0] // NUM_REGIONS), : -(-size[1] // NUM_REGIONS)]
    np.testing.assert_allclose(found[0, 0], corner.sum(), rtol=1e-4)
