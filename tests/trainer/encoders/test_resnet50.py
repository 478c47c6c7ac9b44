import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.encoders.resnet50 import ResNet50Encoder


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return ResNet50Encoder("image", "full", weights="random", image_size=32).build()


def _pixels():
    return np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype(np.uint8)


def test_preprocesses_as_keras_applications_does(model):
    pixels = _pixels()
    scaled = keras.applications.resnet50.preprocess_input(pixels.astype(np.float32))
    features = model.get_layer("image_backbone").layer(scaled).numpy()
    expected = features / np.linalg.norm(features, axis=1, keepdims=True)
    np.testing.assert_allclose(model({"image_pixels": pixels}), expected, atol=1e-5)


def test_training_keeps_batch_statistics(model):
    pixels = {"image_pixels": _pixels()}
    before = [weight.numpy() for weight in model.non_trainable_weights]
    assert len(before) == 2 * 53
    np.testing.assert_allclose(model(pixels, training=True), model(pixels), atol=1e-5)
    for weight, value in zip(model.non_trainable_weights, before, strict=True):
        np.testing.assert_array_equal(weight, value)
    assert len(model.trainable_weights) == 4 * 53


def test_refuses_tiny_pictures():
    with pytest.raises(ValueError, match=r"32 or more. Received: image_size=31"):
        ResNet50Encoder("image", image_size=31)


@pytest.mark.slow
def test_builds_at_full_size():
    model = ResNet50Encoder("image", weights="random").build()
    pixels = tf.zeros((1, 224, 224, 3), tf.uint8)
    assert model({"image_pixels": pixels}).shape == (1, 2048)
    assert model.count_params() == 23_587_712
