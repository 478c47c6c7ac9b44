import functools

import keras
import numpy as np
import pytest

from trainer.averaging import build_optimizer
from trainer.config import TrainConfig
from trainer.features import array_batches
from trainer.sample import Sample
from trainer.stage import run_stage

EPOCHS, STEPS, PEAK = 8, 3, 0.05
RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 4)).astype(np.float32)
SAMPLE = Sample.of(np.arange(24), X[:, 0] > 0)


class Recorder(keras.callbacks.Callback):
    """Keeps weights and learning rate after every step."""

    def on_train_begin(self, logs=None):
        self.weights, self.rates = [], []

    def on_train_batch_end(self, batch, logs=None):
        self.weights.append(self.model.get_weights())
        self.rates.append(float(self.model.optimizer.learning_rate.numpy()))


def train(folder, average, **options):
    """Trains a linear model; returns it, what was recorded of its steps, and the result."""
    keras.utils.set_random_seed(0)
    x = keras.Input([4], name="x")
    model = keras.Model({"x": x}, keras.layers.Reshape((1, 2))(keras.layers.Dense(2)(x)))
    recorder, fit = Recorder(), model.fit
    model.fit = lambda *args, callbacks, **rest: fit(
        *args, callbacks=[recorder, *callbacks], **rest
    )
    data = functools.partial(array_batches, {"x": X}, SAMPLE, 8)
    result = run_stage(
        model,
        functools.partial(data, seed=0),
        name="head",
        steps=STEPS,
        epochs=EPOCHS,
        learning_rate=PEAK,
        config=TrainConfig(batch_size=8, average=average, **options),
        folder=folder,
        eval_data=data(),
    )
    return model, recorder, result


def assert_weights(found, expected):
    for weight, value in zip(found, expected, strict=True):
        np.testing.assert_allclose(weight, value, atol=1e-6)


def test_ema_is_its_recurrence(tmp_path):
    model, recorder, _ = train(tmp_path, "ema")
    momentum = 1 - 1 / (0.1 * EPOCHS * STEPS)
    expected = recorder.weights[0]
    for weights in recorder.weights[1:]:
        expected = [
            momentum * mean + (1 - momentum) * new
            for mean, new in zip(expected, weights, strict=True)
        ]
    assert_weights(model.get_weights(), expected)


def test_swa_is_the_mean_of_the_last_epochs(tmp_path):
    model, recorder, _ = train(tmp_path, "swa")
    ends = recorder.weights[STEPS - 1 :: STEPS][5:]  # of epochs 6, 7 and 8
    assert len(ends) == 3
    expected = [np.mean(values, axis=0) for values in zip(*ends, strict=True)]
    assert_weights(model.get_weights(), expected)
    np.testing.assert_allclose(recorder.rates[6 * STEPS :], PEAK / 2, rtol=1e-5)
    assert max(recorder.rates) == pytest.approx(PEAK, rel=0.05)


@pytest.mark.parametrize("average", ["ema", "swa"])
def test_averaged_weights_are_what_is_watched(tmp_path, average):
    model, _, result = train(tmp_path, average)
    watched = array_batches({"x": X}, SAMPLE, 8)
    loss = model.evaluate(watched, verbose=0, return_dict=True)["loss"]
    assert result.history[-1]["val_loss"] == pytest.approx(loss, abs=1e-6)
    assert result.history[-1]["loss"] != pytest.approx(loss, abs=1e-4)


def test_short_stages_are_averaged_too():
    """The mean starts after the first epoch at the earliest: the first weights are not trained."""
    first = [
        build_optimizer(TrainConfig(average="swa"), 0.1, epochs, 5).first_epoch
        for epochs in (1, 2, 3, 4, 60)
    ]
    assert first == [1, 1, 2, 3, 45]
    assert build_optimizer(TrainConfig(average="ema"), 0.1, 1, 5).ema_momentum == 0


def test_no_average_keeps_the_last_weights(tmp_path):
    model, recorder, _ = train(tmp_path, "")
    assert_weights(model.get_weights(), recorder.weights[-1])
