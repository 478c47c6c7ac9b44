"""The test of a two by two table."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr


def g_test(
    first: np.ndarray,
    expected: np.ndarray,
    total: np.ndarray,
    first_rows: float,
    second_rows: float,
) -> np.ndarray:
    """Returns the probability that counts are so far from what is expected, two-sided.

    Args:
        first: Rows of the first sample that have a property, one number a test.
        expected: How many these would be if the samples were of one population.
        total: Rows of both samples that have it.
        first_rows: All rows of the first sample.
        second_rows: All rows of the second.

    Reference:
        The signed root of the likelihood ratio is close to normal; with half a row taken
        off the difference, its tail is within a factor of 2 of Fisher's exact test.
    """
    moved = np.sign(first - expected) * np.maximum(np.abs(first - expected) - 0.5, 0)
    by_chance = np.array(
        [expected, total - expected, first_rows - expected, second_rows - total + expected]
    )
    observed = by_chance + moved * np.array([[1], [-1], [-1], [1]])
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(observed > 0, observed * np.log(observed / by_chance), 0.0)
    return 2 * ndtr(-np.sqrt(2 * np.maximum(terms.sum(axis=0), 0)))
