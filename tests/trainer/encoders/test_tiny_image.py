import numpy as np

from trainer.encoders.tiny_image import TinyImageEncoder


def test_is_tiny_and_trainable():
    model = TinyImageEncoder("image").build()
    assert model.count_params() == 8 * 28 + 16 * 73
    assert len(model.trainable_weights) == 4
    assert model({"image_pixels": np.zeros((2, 32, 32, 3), np.uint8)}).shape == (2, 16)
