"""How far to believe a network's confidence."""

from __future__ import annotations

import numpy as np

_GRID = np.exp(np.linspace(np.log(0.05), np.log(20.0), 241))
# As if so many rows more spoke for the temperature 1: a few dozen eval rows that are all
# right would else ask for a certainty that they cannot prove.
_PRIOR_ROWS = 10.0


def fit_temperature(logits: np.ndarray, class_ids: np.ndarray) -> float:
    """Finds the temperature under which held-out rows are most likely.

    Args:
        logits: float array `(rows, num_classes)`.
        class_ids: int array `(rows,)`.

    Returns:
        Temperature between 0.05 and 20 that minimizes the log loss, to 2.5 %.

    Reference:
        Guo et al., 2017, arXiv:1706.04599, with a weak log-normal prior at 1.
    """
    losses = [
        len(class_ids) * _log_loss(logits / temperature, class_ids)
        + _PRIOR_ROWS * 0.5 * np.log(temperature) ** 2
        for temperature in _GRID
    ]
    return float(_GRID[int(np.argmin(losses))])


def _log_loss(logits: np.ndarray, class_ids: np.ndarray) -> float:
    logits = np.asarray(logits, np.float64)
    logits = logits - logits.max(axis=1, keepdims=True)
    log_scores = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return float(-log_scores[np.arange(len(class_ids)), class_ids].mean())
