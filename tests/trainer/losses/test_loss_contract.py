"""What every registered loss must do; a new file in trainer/losses is tested unasked."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.special import log_softmax

from trainer.losses.vote_loss import VoteLoss
from trainer.registry import LOSSES

ROWS, VOTES, CLASSES = 6, 3, 4
RNG = np.random.default_rng(0)
CLASS_IDS = np.array([0, 3, 1, 1, 2, 0])
LOGITS = RNG.normal(size=(ROWS, VOTES, CLASSES)).astype(np.float32) * 3
WEIGHTS = np.array([1.0, 0.0, 2.0, 0.5, 1.0, 3.0])
SHARES = RNG.dirichlet(np.ones(CLASSES), ROWS)
OFFSETS = np.log([0.7, 0.2, 0.05, 0.05])
# What a score costs, by the formulas of the papers, with the defaults.
COSTS = {
    "crossentropy": lambda score: -np.log(score),
    "focal": lambda score: -((1 - score) ** 2) * np.log(score),
    "generalised_crossentropy": lambda score: (1 - score**0.7) / 0.7,
}


@pytest.fixture(params=LOSSES.names())
def name(request):
    return request.param


def reference(name, targets, logits=LOGITS, offsets=0.0):
    scores = np.exp(log_softmax(logits.astype(np.float64) + offsets, axis=-1))
    costs = (targets[:, None] * COSTS[name](scores)).sum(axis=-1)
    return float(np.mean(WEIGHTS * costs.mean(axis=1)))


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
@pytest.mark.parametrize("offsets", [None, OFFSETS], ids=["plain", "adjusted"])
def test_is_the_mean_cost_under_the_target(name, smoothing, offsets):
    assert name in COSTS, "add the formula of its paper: a loss is compared with it"
    loss = LOSSES.get(name)(label_smoothing=smoothing, logit_offsets=offsets)
    shift = 0.0 if offsets is None else offsets
    for targets, shares in (
        (CLASS_IDS, np.eye(CLASSES)[CLASS_IDS]),
        (CLASS_IDS[:, None], np.eye(CLASSES)[CLASS_IDS]),
        (np.eye(CLASSES)[CLASS_IDS], np.eye(CLASSES)[CLASS_IDS]),
        (SHARES, SHARES),
    ):
        smooth = (1 - smoothing) * shares + smoothing / CLASSES
        expected = reference(name, smooth, offsets=shift)
        found = float(loss(targets, LOGITS, sample_weight=WEIGHTS))
        assert found == pytest.approx(expected, rel=1e-5)


def test_a_loss_must_say_what_a_score_costs():
    class Forgetful(VoteLoss):
        pass

    with pytest.raises(TypeError, match="cost"):
        Forgetful()


def test_one_vote_needs_no_axis(name):
    loss = LOSSES.get(name)(label_smoothing=0.1)
    for targets in (CLASS_IDS, SHARES):
        assert float(loss(targets, LOGITS[:, 0])) == float(loss(targets, LOGITS[:, :1]))


def test_being_right_costs_least(name):
    loss = LOSSES.get(name)()
    costs = [float(loss(np.array([0]), np.array([[score, 0.0]]))) for score in (-5, 0, 5)]
    assert costs[0] > costs[1] > costs[2]


@pytest.mark.parametrize("logit", [-1e4, 1e4])
def test_sure_answers_have_finite_costs_and_gradients(name, logit):
    logits = tf.Variable([[logit, -logit]])
    with tf.GradientTape() as tape:
        cost = LOSSES.get(name)(label_smoothing=0.1)(np.array([1]), logits)
    assert np.isfinite(float(cost))
    assert np.isfinite(tape.gradient(cost, logits)).all()


def test_comes_back_from_its_config(name):
    loss = LOSSES.get(name)(label_smoothing=0.3, logit_offsets=OFFSETS)
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert again.get_config() == loss.get_config()
    assert float(again(CLASS_IDS, LOGITS)) == float(loss(CLASS_IDS, LOGITS))
