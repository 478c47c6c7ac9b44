import keras
import numpy as np
import pytest

from trainer.attacks.victim import Pictures, Victim

SIDE, CLASSES = 8, 5


@pytest.fixture(scope="package")
def network():
    """A trained small convolutional network, and pictures of noise that it has not seen."""
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    class_ids = np.arange(500) % CLASSES
    pattern = rng.uniform(-1, 1, (CLASSES, SIDE, SIDE, 3))
    pixels = 128 + 20 * pattern[class_ids] + rng.normal(0, 25, (500, SIDE, SIDE, 3))
    pixels = np.clip(pixels, 0, 255).astype(np.float32)
    model = keras.Sequential(
        [
            keras.Input((SIDE, SIDE, 3)),
            keras.layers.Rescaling(1 / 64, -2.0),
            keras.layers.Conv2D(8, 3, activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(CLASSES),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.01), loss)
    model.fit(pixels[300:], class_ids[300:], epochs=8, verbose=0)
    return model, Pictures(pixels[:300], class_ids[:300])


@pytest.fixture(scope="package")
def victim(network):
    return Victim(lambda pixels, beside: network[0](pixels))
