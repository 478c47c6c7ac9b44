"""How far to trust each vote, learned from rows that the voters have not seen."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax

# A few dozen rows cannot prove much. Strength of the belief, in rows, that all voters deserve the
# same weight; and, much weaker, that these weights sum to 1.
_EQUAL_ROWS = 5.0
_SCALE_ROWS = 0.5


def fit_vote_weights(votes: np.ndarray, class_ids: np.ndarray) -> np.ndarray:
    """Finds the weights under which the pooled answers to held-out rows are most likely.

    Args:
        votes: float array `(rows, num_votes, num_classes)`, logits; zeros
            where a voter abstains.
        class_ids: int array `(rows,)`.

    Returns:
        Positive float32 weights `(num_votes,)`, that minimize the log loss
        with a log-normal prior around equal weights that sum to 1.
    """
    votes = np.asarray(votes, np.float64)
    num_votes = votes.shape[1]
    rows = np.arange(len(class_ids))
    # What counts of a vote is how its logits differ from their mean.
    votes = votes - votes.mean(axis=2, keepdims=True)

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        scale, differences = parameters[0], parameters[1:]
        weights = np.exp(scale + differences) / num_votes
        log_scores = log_softmax(np.einsum("v,nvc->nc", weights, votes), axis=1)
        residuals = np.exp(log_scores)
        residuals[rows, class_ids] -= 1.0
        slopes = np.einsum("nc,nvc->v", residuals, votes) * weights
        value = -float(log_scores[rows, class_ids].sum())
        value += _SCALE_ROWS * scale**2 + _EQUAL_ROWS * float(np.square(differences).sum())
        gradient = np.concatenate([[slopes.sum()], slopes])
        return value, gradient + 2 * np.concatenate(
            [[_SCALE_ROWS * scale], _EQUAL_ROWS * differences]
        )

    found = minimize(loss, np.zeros(num_votes + 1), jac=True, method="L-BFGS-B")
    return (np.exp(found.x[0] + found.x[1:]) / num_votes).astype(np.float32)
