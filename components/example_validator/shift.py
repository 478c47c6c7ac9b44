"""Whether two samples are of one population, and where they differ most if not."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from components.example_validator.g_test import g_test
from components.example_validator.parts import Interval, cut
from components.statistics.measures import Measure, Values

_MAX_DEPTH = 8


@dataclass(frozen=True)
class Shift:
    """Where two samples differ most significantly.

    Args:
        where: Such as `'Speaker'` or `12.5 to 40`.
        before: Share of the rows of the first sample that are there.
        now: Share of those of the second, if as many of both had each label. Of
            categories, the largest difference is the L-infinity norm of TFX.
        p_value: Probability of such a difference, anywhere, between samples of one population.
    """

    where: str
    before: float
    now: float
    p_value: float


def find_shift(before: Measure, now: Measure, min_size: float) -> Shift | None:
    """Compares two samples value by value, or interval by interval.

    Numbers are compared over the intervals that are made by halving the rows of both
    samples again and again: tails, narrow peaks and wide shifts are all some interval.
    Numbers by label are compared by their rank among those of their label. Each value or
    interval is tested with a G-test, whose probability is multiplied by the number of
    tests (Bonferroni). Which values and intervals are tested depends on both samples
    together alone, so that it tells nothing of their difference: those that hold enough
    rows for a difference of `min_size`.

    Args:
        before: What was measured of a sample.
        now: The same of another.
        min_size: Smaller differences do not matter, however significant.

    Returns:
        The most significant difference of at least `min_size`; `None` where there is none.

    Reference:
        Soriano and Ma, 2017, "Probabilistic multi-resolution scanning for two-sample
        differences", for the intervals; with Bonferroni instead of their prior.
    """
    rows = before.rows, now.rows
    if min(rows) == 0:
        return None
    names, first, total, expected = _cut_all(before, now, min_size)
    tested = total >= min_size * min(rows)
    # Where shares are expected to be the same, simply their difference.
    differences = (expected - first) * sum(rows) / (rows[0] * rows[1])
    found = np.flatnonzero(tested & (np.abs(differences) >= min_size))
    if not found.size:
        return None
    p_values = g_test(first[found], expected[found], total[found], *rows)
    # Among differences that are all beyond doubt, the largest.
    place, p_value = min(
        zip(found, p_values, strict=True), key=lambda one: (one[1], -abs(differences[one[0]]))
    )
    share = first[place] / rows[0]
    return Shift(
        str(names[place]),
        float(share),
        float(share + differences[place]),
        float(min(1.0, p_value * tested.sum())),
    )


def jensen_shannon(before: Measure, now: Measure) -> float:
    """Returns the divergence of two samples in bits, in [0, 1]; of numbers, over 16 intervals."""
    parts = cut(before, now, 4)
    first, second = parts.first, parts.total - parts.first
    if not first.sum() or not second.sum():
        return 0.0
    p, q = first / first.sum(), second / second.sum()
    mixed = (p + q) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(
            sum(np.where(own > 0, own * np.log2(own / mixed), 0.0).sum() for own in (p, q)) / 2
        )


def _cut_all(
    before: Measure, now: Measure, min_size: float
) -> tuple[list[Interval | str], np.ndarray, np.ndarray, np.ndarray]:
    """Returns what `Parts` has, of all depths, each part once."""
    finest = (before.rows + now.rows) / (max(min_size, 1e-3) * min(before.rows, now.rows))
    depth = min(_MAX_DEPTH, max(1, math.ceil(math.log2(finest))))
    found: dict[Interval | str, tuple[float, float, float]] = {}
    for level in [0] if isinstance(before, Values) else range(1, depth + 1):
        parts = cut(before, now, level)
        counts = zip(parts.first, parts.total, parts.expected, strict=True)
        found.update(zip(parts.names, counts, strict=True))
    first, total, expected = np.array(list(found.values()), float).reshape(-1, 3).T
    return list(found), first, total, expected
