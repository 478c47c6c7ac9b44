import numpy as np
import pytest
import tensorflow as tf

from trainer.losses.crossentropy import Crossentropy
from trainer.losses.generalised_crossentropy import GeneralisedCrossentropy

LOGITS = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
CLASS_IDS = np.array([0, 2, 1, 0, 2])


def test_lies_between_crossentropy_and_the_mean_absolute_error():
    scores = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)
    own = scores[np.arange(5), CLASS_IDS]
    near = float(GeneralisedCrossentropy(q=1e-4)(CLASS_IDS, LOGITS))
    assert near == pytest.approx(float(Crossentropy()(CLASS_IDS, LOGITS)), rel=1e-3)
    found = float(GeneralisedCrossentropy(q=1.0)(CLASS_IDS, LOGITS))
    assert found == pytest.approx(np.mean(1 - own), rel=1e-5)


def test_one_wrong_label_costs_no_more_than_its_bound():
    logits = np.array([[100.0, -100.0]])
    assert float(GeneralisedCrossentropy(q=0.5)(np.array([1]), logits)) == pytest.approx(2.0)


@pytest.mark.parametrize("q", [0.0, -1.0, 1.1, float("nan")])
def test_q_is_above_zero_and_at_most_one(q):
    with pytest.raises(ValueError, match="above 0 and at most 1"):
        GeneralisedCrossentropy(q)


def test_adjustment_works_with_less_than_its_strength():
    """The best logits of a row that is of several classes rank `shares / priors ** (1 - q)`."""
    q, shares, priors = 0.6, np.array([[0.5, 0.3, 0.2]]), np.array([0.7, 0.2, 0.1])
    loss = GeneralisedCrossentropy(q, logit_offsets=np.log(priors))
    for strength, is_best in ((1 - q, True), (1.0, False)):
        logits = tf.Variable(np.log(shares / priors**strength) / (1 - q), dtype="float32")
        with tf.GradientTape() as tape:
            cost = loss(shares, logits)
        assert (np.abs(tape.gradient(cost, logits)).max() < 1e-6) == is_best
