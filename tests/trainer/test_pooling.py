import numpy as np
import pytest
from scipy.optimize import minimize

from trainer.pooling import _PRIOR_ROWS, fit_vote_weights

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


def objective(weights, votes, class_ids):
    pooled = np.tensordot(votes, weights, axes=([1], [0]))
    prior = np.square(np.log(weights * len(weights))).sum()
    return log_loss(pooled, class_ids).sum() + _PRIOR_ROWS * prior


def test_finds_the_minimum_that_another_method_finds():
    votes, class_ids = make_votes(np.random.default_rng(0), 60, (3, 5, 1), (0.3, 1.0, 0.5))
    weights = fit_vote_weights(votes, class_ids)
    found = minimize(
        lambda log_weights: objective(np.exp(log_weights), votes, class_ids),
        np.zeros(3),
        method="Nelder-Mead",
        options={"xatol": 1e-6, "fatol": 1e-9, "maxiter": 5000},
    )
    np.testing.assert_allclose(weights, np.exp(found.x), rtol=1e-3)
    assert weights.dtype == np.float32


def test_one_vote_is_temperature_scaling():
    """Votes three times too sure are made three times less so, given enough rows."""
    rng = np.random.default_rng(1)
    logits = rng.normal(size=(20_000, NUM_CLASSES)) * 2
    scores = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    class_ids = (rng.random((len(scores), 1)) > scores.cumsum(axis=1)).sum(axis=1)
    (weight,) = fit_vote_weights(3 * logits[:, None], class_ids)
    assert weight == pytest.approx(1 / 3, rel=0.03)


def test_trusts_the_better_vote_more():
    votes, class_ids = make_votes(np.random.default_rng(2), 400, (3, 3), (0.2, 3.0))
    good, bad = fit_vote_weights(votes, class_ids)
    assert good > 5 * bad > 0


def test_few_perfect_rows_prove_little():
    votes, class_ids = make_votes(np.random.default_rng(3), 8, (6, 6), (0, 0))
    assert (fit_vote_weights(votes, class_ids) < 2).all()


def test_a_vote_that_always_abstains_keeps_the_prior():
    votes, class_ids = make_votes(np.random.default_rng(4), 50, (3, 3), (0.5, 0.5))
    votes[:, 1] = 0
    assert fit_vote_weights(votes, class_ids)[1] == pytest.approx(0.5, rel=1e-3)


def test_what_is_added_to_all_classes_does_not_matter():
    votes, class_ids = make_votes(np.random.default_rng(5), 50, (3, 2), (0.5, 1.0))
    shifted = votes + np.random.default_rng(6).normal(size=(50, 2, 1)) * 100
    expected = fit_vote_weights(votes, class_ids)
    np.testing.assert_allclose(fit_vote_weights(shifted, class_ids), expected, rtol=1e-4)
