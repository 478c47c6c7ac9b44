import keras
import numpy as np
import pytest

from trainer.losses.crossentropy import Crossentropy

NUM_CLASSES = 4
RNG = np.random.default_rng(0)
LOGITS = RNG.normal(size=(6, NUM_CLASSES)).astype(np.float32) * 3
CLASS_IDS = np.array([0, 3, 1, 1, 2, 0])


@pytest.mark.parametrize("label_smoothing", [0.0, 0.1, 0.9])
def test_equals_that_of_one_hot_targets(label_smoothing):
    loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=label_smoothing)
    expected = float(loss(np.eye(NUM_CLASSES)[CLASS_IDS], LOGITS))
    found = float(Crossentropy(label_smoothing)(CLASS_IDS, LOGITS))
    assert found == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("strength", [0.5, 1.0])
def test_offsets_are_those_of_logit_adjustment(strength):
    """The loss of the paper, written out: log(1 + sum of the other classes' odds)."""
    priors = np.array([0.7, 0.2, 0.05, 0.05])
    loss = Crossentropy(logit_offsets=strength * np.log(priors))
    odds = [
        [
            (priors[other] / priors[own]) ** strength * np.exp(row[other] - row[own])
            for other in range(NUM_CLASSES)
            if other != own
        ]
        for row, own in zip(LOGITS.astype(np.float64), CLASS_IDS, strict=True)
    ]
    expected = np.mean(np.log1p(np.sum(odds, axis=1)))
    assert float(loss(CLASS_IDS, LOGITS)) == pytest.approx(expected, rel=1e-5)
