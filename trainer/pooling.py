"""How far to trust each vote, learned from rows that the voters have not seen."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax

# Strength of the prior, in rows: a few dozen rows that are all right would else
# ask for a certainty that they cannot prove.
_PRIOR_ROWS = 5.0


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

    def loss(log_weights: np.ndarray) -> tuple[float, np.ndarray]:
        weights = np.exp(log_weights) / num_votes
        log_scores = log_softmax(np.einsum("v,nvc->nc", weights, votes), axis=1)
        residuals = np.exp(log_scores)
        residuals[rows, class_ids] -= 1.0
        gradient = np.einsum("nc,nvc->v", residuals, votes) * weights
        prior = _PRIOR_ROWS * float(np.square(log_weights).sum())
        value = prior - float(log_scores[rows, class_ids].sum())
        return value, gradient + 2 * _PRIOR_ROWS * log_weights

    found = minimize(loss, np.zeros(num_votes), jac=True, method="L-BFGS-B")
    return (np.exp(found.x) / num_votes).astype(np.float32)
