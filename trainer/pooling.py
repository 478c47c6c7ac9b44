"""How far to trust each vote, learned from rows that the voters have not seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

FUSED_WEIGHT = 0.9
"""Weight of the first vote, that of the fusion, before any row has spoken."""
# A few dozen rows cannot prove much. Strength of the belief in the weights before, in rows: in
# their proportions; and, much weaker, in their sum.
_PROPORTION_ROWS = 5.0
_SUM_ROWS = 0.5


Reaches = Sequence[float | None]
"""Of each vote by how much at most it moves the logarithm of the odds of two classes, or `None`."""


def prior_weights(num_votes: int, reaches: Reaches = ()) -> np.ndarray:
    """Returns the weights `(num_votes,)` to start from: branches share what the fusion leaves.

    Votes with a reach start from 1: it is not their weight that holds them back.
    """
    if num_votes == 1:
        return np.ones(1, np.float32)
    weights = np.full(num_votes, (1 - FUSED_WEIGHT) / (num_votes - 1), np.float32)
    weights[0] = FUSED_WEIGHT
    weights[_bounded(reaches)] = 1.0
    return weights


def pool_votes(votes: np.ndarray, weights: np.ndarray, reaches: Reaches = ()) -> np.ndarray:
    """Returns logits `(rows, num_classes)` of votes, as `VotePool` does.

    Args:
        votes: `(rows, num_votes, num_classes)`.
        weights: `(num_votes,)`.
        reaches: Of each vote; none by default.
    """
    heard = weights[:, None] * votes
    for vote in _bounded(reaches):
        heard[:, vote] = np.log1p(np.expm1(reaches[vote]) * softmax(heard[:, vote], axis=1))
    return heard.sum(axis=1)


def _bounded(reaches: Reaches) -> list[int]:
    return [vote for vote, reach in enumerate(reaches) if reach is not None]


def fit_vote_weights(votes: np.ndarray, class_ids: np.ndarray, reaches: Reaches = ()) -> np.ndarray:
    """Finds the weights under which the pooled answers to held-out rows are most likely.

    Args:
        votes: float array `(rows, num_votes, num_classes)`, logits; zeros
            where a voter abstains.
        class_ids: int array `(rows,)`.
        reaches: Of each vote; none by default.

    Returns:
        Positive float32 weights `(num_votes,)`, that minimize the log loss
        with a log-normal prior around `prior_weights`.
    """
    votes = np.asarray(votes, np.float64)
    num_votes = votes.shape[1]
    prior = prior_weights(num_votes, reaches).astype(np.float64)
    rows = np.arange(len(class_ids))
    # What counts of a vote is how its logits differ from their mean.
    votes = votes - votes.mean(axis=2, keepdims=True)

    def loss(parameters: np.ndarray) -> tuple[float, np.ndarray]:
        scale, differences = parameters[0], parameters[1:]
        weights = prior * np.exp(scale + differences)
        log_scores = log_softmax(pool_votes(votes, weights, reaches), axis=1)
        residuals = np.exp(log_scores)
        residuals[rows, class_ids] -= 1.0
        gained = votes.copy()
        for vote in _bounded(reaches):
            scores = np.expm1(reaches[vote]) * softmax(weights[vote] * votes[:, vote], axis=1)
            mean = (scores * votes[:, vote]).sum(axis=1) / scores.sum(axis=1)
            gained[:, vote] = scores / (1 + scores) * (votes[:, vote] - mean[:, None])
        slopes = np.einsum("nc,nvc->v", residuals, gained) * weights
        value = -float(log_scores[rows, class_ids].sum())
        value += _SUM_ROWS * scale**2 + _PROPORTION_ROWS * float(np.square(differences).sum())
        gradient = np.concatenate([[slopes.sum()], slopes])
        return value, gradient + 2 * np.concatenate(
            [[_SUM_ROWS * scale], _PROPORTION_ROWS * differences]
        )

    found = minimize(loss, np.zeros(num_votes + 1), jac=True, method="L-BFGS-B")
    return (prior * np.exp(found.x[0] + found.x[1:])).astype(np.float32)
