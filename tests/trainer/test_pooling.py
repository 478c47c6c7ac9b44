import numpy as np
import pytest
from scipy.optimize import minimize

from trainer.pooling import _PROPORTION_ROWS, _SUM_ROWS, fit_vote_weights, pool_votes, prior_weights

NUM_CLASSES = 4


def make_votes(rng, num_rows, scales, noises):
    """Logits that are right on average: signal of some size plus noise of some size."""
    class_ids = rng.integers(0, NUM_CLASSES, num_rows)
    signal = np.eye(NUM_CLASSES)[class_ids]
    votes = [
        scale * (signal + noise * rng.normal(size=signal.shape))
        for scale, noise in zip(scales, noises, strict=True)
    ]
    return np.stack(votes, axis=1), class_ids


def log_loss(logits, class_ids):
    scores = np.exp(logits - logits.max(axis=1, keepdims=True))
    scores /= scores.sum(axis=1, keepdims=True)
    return -np.log(scores[np.arange(len(class_ids)), class_ids])


def objective(parameters, votes, class_ids, reaches=()):
    scale, differences = parameters[0], parameters[1:]
    weights = prior_weights(len(differences), reaches) * np.exp(scale + differences)
    pooled = pool_votes(votes, weights, reaches)
    prior = _SUM_ROWS * scale**2 + _PROPORTION_ROWS * (differences**2).sum()
    return log_loss(pooled, class_ids).sum() + prior


def test_finds_the_minimum_that_numeric_gradients_find():
    votes, class_ids = make_votes(np.random.default_rng(0), 60, (3, 5, 1), (0.3, 1.0, 0.5))
    weights = fit_vote_weights(votes, class_ids)
    found = minimize(objective, np.zeros(4), args=(votes, class_ids), method="BFGS").x
    expected = prior_weights(3) * np.exp(found[0] + found[1:])
    np.testing.assert_allclose(weights, expected, rtol=5e-3)
    assert weights.dtype == np.float32


def test_finds_the_minimum_where_a_vote_has_a_reach():
    votes, class_ids = make_votes(np.random.default_rng(4), 60, (3, 5, 1), (0.3, 1.0, 0.5))
    reaches = (None, 1.5, None)
    weights = fit_vote_weights(votes, class_ids, reaches)
    found = minimize(objective, np.zeros(4), args=(votes, class_ids, reaches), method="BFGS").x
    expected = prior_weights(3, reaches) * np.exp(found[0] + found[1:])
    np.testing.assert_allclose(weights, expected, rtol=5e-3)


def test_a_vote_with_a_reach_starts_as_it_is():
    np.testing.assert_allclose(prior_weights(3, (None, 2.0, None)), [0.9, 1.0, 0.05])


@pytest.mark.parametrize("num_votes", [1, 2, 5])
def test_the_fusion_leads_before_any_row_has_spoken(num_votes):
    weights = prior_weights(num_votes)
    assert weights.sum() == pytest.approx(1)
    assert (weights[0] > weights[1:]).all()
    assert np.ptp(weights[1:]) == 0 if num_votes > 1 else True
    no_rows = fit_vote_weights(np.zeros((0, num_votes, NUM_CLASSES)), np.zeros(0, np.int32))
    np.testing.assert_allclose(no_rows, weights, rtol=1e-6)


def test_one_vote_is_temperature_scaling():
    """Votes three times too sure are made three times less so, given enough rows."""
    rng = np.random.default_rng(1)
    logits = rng.normal(size=(20_000, NUM_CLASSES)) * 2
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    class_ids = (rng.random((len(scores), 1)) > scores.cumsum(axis=1)).sum(axis=1)
    (weight,) = fit_vote_weights(3 * logits[:, None], class_ids)
    assert weight == pytest.approx(1 / 3, rel=0.03)


def test_trusts_the_better_vote_more():
    """Even where the good one is not the fusion, given enough rows."""
    votes, class_ids = make_votes(np.random.default_rng(2), 2000, (3, 3), (3.0, 0.2))
    bad, good = fit_vote_weights(votes, class_ids)
    assert good > 5 * bad > 0


def test_few_perfect_rows_prove_little():
    votes, class_ids = make_votes(np.random.default_rng(3), 8, (6, 6), (0, 0))
    assert (fit_vote_weights(votes, class_ids) < 2).all()


def test_what_is_added_to_all_classes_does_not_matter():
    votes, class_ids = make_votes(np.random.default_rng(5), 50, (3, 2), (0.5, 1.0))
    shifted = votes + np.random.default_rng(6).normal(size=(50, 2, 1)) * 100
    expected = fit_vote_weights(votes, class_ids)
    np.testing.assert_allclose(fit_vote_weights(shifted, class_ids), expected, rtol=1e-4)
