import keras
import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from trainer.layers.vote_pool import VotePool
from trainer.pooling import pool_votes

VOTES = np.random.default_rng(0).normal(size=(5, 3, 4)).astype(np.float32)


def test_adds_weighted_votes():
    layer = VotePool(3)
    np.testing.assert_allclose(layer(VOTES), VOTES.mean(axis=1), atol=1e-6)
    layer.set_weights([np.array([2.0, 0.5, 0.0])])
    np.testing.assert_allclose(layer(VOTES), 2 * VOTES[:, 0] + 0.5 * VOTES[:, 1], atol=1e-6)
    assert layer.trainable_weights == []


def test_comes_back_from_a_file(tmp_path):
    votes = keras.Input([3, 4])
    layer = VotePool(3, (None, 2.0, 1.0))
    model = keras.Model(votes, layer(votes))
    layer.set_weights([np.array([2.0, 0.5, 0.1])])
    model.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    np.testing.assert_allclose(loaded(VOTES), model(VOTES), atol=1e-6)


REACHES = (None, 2.0, None)
WEIGHTS = np.array([2.0, 3.0, 0.1])


def bounded_pool():
    layer = VotePool(3, REACHES)
    layer(VOTES)
    layer.set_weights([WEIGHTS])
    return layer


def test_a_vote_with_a_reach_is_a_mixture_with_the_uniform_one():
    """Huber's contamination, of the share at which the odds of two classes reach exp(2)."""
    others = 2 * VOTES[:, 0] + 0.1 * VOTES[:, 2]
    share = 4 / (4 + np.expm1(2.0))
    mixture = np.log((1 - share) * softmax(3 * VOTES[:, 1], axis=1) + share / 4)
    expected = log_softmax(others + mixture, axis=1)
    np.testing.assert_allclose(log_softmax(bounded_pool()(VOTES), axis=1), expected, atol=1e-5)
    np.testing.assert_allclose(
        bounded_pool()(VOTES), pool_votes(VOTES, WEIGHTS, REACHES), atol=1e-5
    )


@pytest.mark.parametrize("size", [1, 100, 1e30])
def test_no_vote_moves_the_odds_beyond_its_reach(size):
    loud = VOTES.copy()
    loud[:, 1] = size * np.random.default_rng(1).normal(size=loud[:, 1].shape)
    silent = VOTES.copy()
    silent[:, 1] = 0
    moved = (bounded_pool()(loud) - bounded_pool()(silent)).numpy()
    assert np.ptp(moved, axis=1).max() <= 2.0 + 1e-4
    if size > 1:
        assert np.ptp(moved, axis=1).min() >= 1.99


def test_a_large_reach_changes_nothing():
    far, free = VotePool(3, (None, 60.0, None)), VotePool(3)
    for layer in (far, free):
        layer(VOTES)
        layer.set_weights([WEIGHTS])
    np.testing.assert_allclose(softmax(far(VOTES), axis=1), softmax(free(VOTES), axis=1), atol=1e-5)
