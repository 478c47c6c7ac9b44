import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.optimizer import TunedAdamW
from trainer.registry import TUNING

X = np.random.default_rng(0).normal(size=(16, 3)).astype(np.float32)


def make():
    keras.utils.set_random_seed(0)
    encoder = keras.Sequential([keras.Input([3]), keras.layers.Dense(4)], name="encoder")
    return encoder, keras.Sequential([encoder, keras.layers.Dense(1)])


def fit(model, optimizer, steps=3):
    weights = model.trainable_weights
    optimizer.build(weights)
    for _ in range(steps):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((model(X) - 1.0) ** 2)
        optimizer.apply(tape.gradient(loss, weights), weights)
    return model.get_weights()


@pytest.mark.parametrize("decay", [0.0, 0.3])
def test_without_methods_it_is_adamw(decay):
    expected = fit(make()[1], keras.optimizers.AdamW(0.01, weight_decay=decay, clipnorm=1.0))
    found = fit(make()[1], TunedAdamW(0.01, peak=0.01, decay=decay, clipnorm=1.0))
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_an_encoder_learns_at_the_rate_of_its_method():
    encoder, model = make()
    before = model.get_weights()
    method = TUNING.make("full", {"learning_rate": 0.001})
    optimizer = TunedAdamW(0.01, peak=0.01, tuned=[(method, encoder)])
    after = fit(model, optimizer, steps=1)
    # Adam's first step is as long as the learning rate.
    moved = [np.abs(new - old).max() for new, old in zip(after, before, strict=True)]
    np.testing.assert_allclose(moved, [0.001, 0.001, 0.01, 0.01], rtol=0.01)
