import keras
import numpy as np
import pytest
import tensorflow as tf

from trainer.losses.crossentropy import Crossentropy
from trainer.losses.focal import Focal

LOGITS = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
CLASS_IDS = np.array([0, 2, 1, 0, 2])


@pytest.mark.parametrize("gamma", [0.5, 2.0])
def test_is_that_of_keras(gamma):
    loss = keras.losses.CategoricalFocalCrossentropy(
        alpha=1.0, gamma=gamma, from_logits=True, label_smoothing=0.1
    )
    expected = float(loss(np.eye(3)[CLASS_IDS], LOGITS))
    assert float(Focal(gamma, label_smoothing=0.1)(CLASS_IDS, LOGITS)) == pytest.approx(
        expected, rel=1e-4
    )


def test_is_crossentropy_without_focus():
    expected = float(Crossentropy()(CLASS_IDS, LOGITS))
    assert float(Focal(gamma=0.0)(CLASS_IDS, LOGITS)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("gamma", [0.0, 0.5])
def test_small_powers_of_sure_answers_have_gradients(gamma):
    logits = tf.Variable([[50.0, -50.0]])
    with tf.GradientTape() as tape:
        cost = Focal(gamma)(np.array([0]), logits)
    assert np.isfinite(tape.gradient(cost, logits)).all()


@pytest.mark.parametrize("gamma", [-0.1, float("nan")])
def test_gamma_is_at_least_zero(gamma):
    with pytest.raises(ValueError, match="gamma of the focal loss must be at least 0"):
        Focal(gamma)
