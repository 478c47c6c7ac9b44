"""Products that stand for many others that the classifier is not sure of."""

from __future__ import annotations

import numpy as np

from trainer.registry import SELECTIONS
from trainer.selection.candidates import Candidates

_MANY_ROWS = 5_000
_AT_ONCE = 1024


@SELECTIONS.register("herding")
def select_herding(candidates: Candidates, budget: int, rng: np.random.Generator) -> np.ndarray:
    """Takes again and again the product that adds most to how well the unsure ones are covered.

    A product is covered as far as it is like a labelled or taken one: by the
    squared cosine of their embeddings, 0 where that is negative. It counts by
    how unsure it is, by what its margin leaves to 1. Good from the first label
    on. Of more than 5,000 candidates as many are drawn, the unsure ones more
    often.

    Reference:
        Bae et al., 2025, "Uncertainty Herding", arXiv:2412.20644. There the
        kernel is Gaussian and narrows as labels are bought, and probabilities
        are calibrated first; here the kernel stays.
    """
    weights = np.maximum(1.0 - candidates.margins(), 1e-6).astype(np.float32)
    drawn = np.arange(len(candidates))
    if len(drawn) > max(_MANY_ROWS, budget):
        shares = weights / weights.sum()
        drawn = np.sort(rng.choice(drawn, max(_MANY_ROWS, budget), replace=False, p=shares))
        # Drawn more often because they are unsure: that counts only once.
        weights = np.ones(len(drawn), np.float32)
    rows = _unit(candidates.embeddings[drawn])
    covered = np.zeros(len(rows), np.float32)
    labelled = _unit(candidates.labelled)
    for start in range(0, len(labelled), _AT_ONCE):
        likeness = _likeness(rows, labelled[start : start + _AT_ONCE])
        covered = np.maximum(covered, likeness.max(axis=1))
    likeness = _likeness(rows, rows)
    chosen: list[int] = []
    for _ in range(budget):
        gains = weights @ np.maximum(likeness - covered[:, None], 0.0)
        gains[chosen] = -1.0
        chosen.append(int(gains.argmax()))
        covered = np.maximum(covered, likeness[:, chosen[-1]])
    return drawn[chosen]


def _likeness(rows: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Returns squared cosines of unit vectors, `(len(rows), len(others))`, 0 where negative."""
    return np.square(np.maximum(rows @ others.T, 0.0))


def _unit(rows: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.maximum(lengths, 1e-9)).astype(np.float32)
