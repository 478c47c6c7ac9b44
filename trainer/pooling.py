"""How far to trust each vote, learned from rows that the voters have not seen."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax

FUSED_WEIGHT = 0.9
"""Weight of the first vote, that of the fusion, before any row has spoken."""
# A few dozen rows cannot prove much. Strength of the belief in the weights before, in rows: in
# their proportions; and, much weaker, in their sum.
_PROPORTION_ROWS = 5.0
_SUM_ROWS = 0.5


def prior_weights(num_votes: int) -> np.ndarray:
    """Returns the weights `(num_votes,)` to start from: branches share what the fusion leaves."""
    if num_votes == 1:
        return np.ones(1, np.float32)
    weights = np.full(num_votes, (1 - FUSED_WEIGHT) / (num_votes - 1), np.float32)
    weights[0] = FUSED_WEIGHT
    return weights


def fit_vote_weights(votes: np.ndarray, class_ids: np.ndarray) -> np.ndarray:
    """Finds the weights under which the pooled answers to held-out rows are most likely.

    Args:
        votes: float array `(rows, num_votes, num_classes)`, logits; zeros
            where a voter abstains.
        class_ids: int array `(rows,)`.

    Returns:
        Positive float32 weights `(num_votes,)`, that minimize the log loss
        with a log-normal prior around `prior_weights`.
    """
    votes = np.asarray(votes, np.float64)
    num_votes = votes.shape[1]
    prior = prior_weights(num_votes).astype(np.float64)
    rows = np.arange(len(class_ids))
    # What counts of a vote is how its logits differ from their mean.
    votes = votes - votes.mean(axis=2, keepdims=True)

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        scale, differences = parameters[0], parameters[1:]
        weights = prior * np.exp(scale + differences)
        log_scores = log_softmax(np.einsum("v,nvc->nc", weights, votes), axis=1)
        residuals = np.exp(log_scores)
        residuals[rows, class_ids] -= 1.0
        slopes = np.einsum("nc,nvc->v", residuals, votes) * weights
        value = -float(log_scores[rows, class_ids].sum())
        value += _SUM_ROWS * scale**2 + _PROPORTION_ROWS * float(np.square(differences).sum())
        gradient = np.concatenate([[slopes.sum()], slopes])
        return value, gradient + 2 * np.concatenate(
            [[_SUM_ROWS * scale], _PROPORTION_ROWS * differences]
        )

    found = minimize(loss, np.zeros(num_votes + 1), jac=True, method="L-BFGS-B")
    return (prior * np.exp(found.x[0] + found.x[1:])).astype(np.float32)
