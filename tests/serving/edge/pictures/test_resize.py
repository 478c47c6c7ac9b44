import numpy as np
import pytest
import tensorflow as tf

from serving.edge.pictures.resize import squash


@pytest.mark.parametrize(
    "shape", [(16, 16), (17, 15), (1, 1), (3, 200), (331, 47), (8, 8), (32, 32)]
)
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_resizes_as_tensorflow_does(shape, dtype):
    pixels = np.random.default_rng(0).uniform(0, 255, (*shape, 3)).astype(dtype)
    resized = tf.image.resize(pixels, (16, 16), method="bilinear", antialias=False)
    expected = tf.cast(tf.cast(resized, tf.float32) + 0.5, tf.uint8)
    np.testing.assert_array_equal(squash(pixels, 16), expected)
