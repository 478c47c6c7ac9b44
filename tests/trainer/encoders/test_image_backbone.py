import keras
import keras_hub
import numpy as np
import pytest

from trainer.encoders.image_backbone import ImageBackboneEncoder


@pytest.fixture(scope="module")
def preset(tmp_path_factory):
    """Returns the preset folder of a small DenseNet that scales pixels to [-1, 1]."""
    folder = str(tmp_path_factory.mktemp("densenet"))
    keras.utils.set_random_seed(0)
    backbone = keras_hub.models.DenseNetBackbone(
        stackwise_num_repeats=[1, 1], growth_rate=4, image_shape=(None, None, 3)
    )
    backbone.save_to_preset(folder)
    converter = keras_hub.layers.DenseNetImageConverter(scale=[1 / 128] * 3, offset=[-1.0] * 3)
    converter.save_to_preset(folder)
    return folder


def test_takes_any_kerashub_preset(preset):
    model = ImageBackboneEncoder("image", weights=preset, image_size=32).build()
    pixels = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype(np.uint8)
    backbone = keras_hub.models.Backbone.from_preset(preset)
    features = backbone(pixels / np.float32(128) - 1).numpy().mean(axis=(1, 2))
    expected = features / np.linalg.norm(features, axis=1, keepdims=True)
    np.testing.assert_allclose(model({"image_pixels": pixels}), expected, atol=1e-5)


def test_embeddings_have_the_length_asked_for(preset):
    pixels = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype(np.uint8)
    whole, short = (
        ImageBackboneEncoder("image", weights=preset, image_size=32, **options).build()
        for options in ({}, {"length": 0.25})
    )
    expected = whole({"image_pixels": pixels}).numpy() / 4
    np.testing.assert_allclose(short({"image_pixels": pixels}), expected, atol=1e-6)
    with pytest.raises(ValueError, match=r"`length` must be a number above 0. .*length=0"):
        ImageBackboneEncoder("image", length=0)


def test_random_weights_are_named_random():
    model = ImageBackboneEncoder("image", "full", weights="random", image_size=32).build()
    assert model.output_shape == (None, 1280)
    assert len(model.trainable_weights) == 49 + 2 * 49
    assert len(model.non_trainable_weights) == 2 * 49


@pytest.mark.pretrained
def test_packaged_weights_tell_pictures_apart():
    """Two noisy copies of a picture must be closer than two pictures."""
    rng = np.random.default_rng(0)
    stripes = np.tile(np.repeat([[0, 255]], 8, axis=1), (64, 4))[..., None].repeat(3, axis=2)
    rings = np.hypot(*(np.mgrid[:64, :64] - 32)) % 16 * 16
    pictures = [stripes, stripes, rings[..., None].repeat(3, axis=2)]
    pixels = np.clip([p + rng.normal(0, 20, p.shape) for p in pictures], 0, 255).astype(np.uint8)
    model = ImageBackboneEncoder("image", image_size=64).build()
    first, copy, other = model({"image_pixels": pixels}).numpy()
    assert first @ copy > 0.9 > first @ other + 0.2
