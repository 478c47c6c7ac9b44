import keras
import numpy as np
import pytest

from trainer.losses.smoothed_crossentropy import SmoothedCrossentropy

NUM_CLASSES = 4
RNG = np.random.default_rng(0)
LOGITS = RNG.normal(size=(6, NUM_CLASSES)).astype(np.float32) * 3
CLASS_IDS = np.array([0, 3, 1, 1, 2, 0])
WEIGHTS = np.array([1.0, 0.0, 2.0, 0.5, 1.0, 3.0])


def reference(label_smoothing, logits=LOGITS, weights=None):
    loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=label_smoothing)
    return float(loss(np.eye(NUM_CLASSES)[CLASS_IDS], logits, sample_weight=weights))


@pytest.mark.parametrize("label_smoothing", [0.0, 0.1, 0.9])
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["plain", "weighted"])
def test_equals_that_of_one_hot_targets(label_smoothing, weights):
    loss = SmoothedCrossentropy(label_smoothing)
    for targets in (CLASS_IDS, CLASS_IDS[:, None]):
        found = float(loss(targets, LOGITS, sample_weight=weights))
        assert found == pytest.approx(reference(label_smoothing, weights=weights), rel=1e-5)


def test_loss_of_several_votes_is_their_mean():
    votes = RNG.normal(size=(6, 3, NUM_CLASSES)).astype(np.float32)
    expected = np.mean([reference(0.1, votes[:, vote], WEIGHTS) for vote in range(3)])
    found = float(SmoothedCrossentropy(0.1)(CLASS_IDS, votes, sample_weight=WEIGHTS))
    assert found == pytest.approx(expected, rel=1e-5)


def test_sure_and_wrong_stays_finite():
    logits = np.array([[1e4, -1e4]], np.float32)
    assert np.isfinite(float(SmoothedCrossentropy(0.1)(np.array([1]), logits)))


def test_config_round_trip():
    loss = keras.losses.deserialize(keras.losses.serialize(SmoothedCrossentropy(0.3)))
    assert loss.label_smoothing == 0.3


@pytest.mark.parametrize("strength", [0.5, 1.0])
def test_offsets_are_those_of_logit_adjustment(strength):
    """The loss of the paper, written out: log(1 + sum of the other classes' odds)."""
    priors = np.array([0.7, 0.2, 0.05, 0.05])
    loss = SmoothedCrossentropy(logit_offsets=strength * np.log(priors))
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
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert float(again(CLASS_IDS, LOGITS)) == pytest.approx(expected, rel=1e-5)
