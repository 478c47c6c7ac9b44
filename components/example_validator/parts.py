"""Cuts what was measured of two samples into parts that can be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from components.statistics.measures import ByLabel, Measure, NumberValues, Values, align


@dataclass(frozen=True)
class Interval:
    """Numbers, or ranks of numbers among those of one label, between two bounds."""

    low: float
    high: float
    of_ranks: bool = False

    def __str__(self) -> str:
        if self.of_ranks:
            return f"rank {self.low:.1%} to {self.high:.1%}"
        return " to ".join(f"{bound:.5g}" for bound in dict.fromkeys((self.low, self.high)))


@dataclass(frozen=True)
class Parts:
    """Parts of two samples.

    Args:
        names: An `Interval`, or a value in quotes, of each.
        first: Rows of the first sample in each part.
        total: Rows of both samples.
        expected: Rows of the first sample, if both were of one population.
    """

    names: Sequence[Interval | str]
    first: np.ndarray
    total: np.ndarray
    expected: np.ndarray


def cut(before: Measure, now: Measure, depth: int) -> Parts:
    """Cuts two samples into values, or into `2 ** depth` intervals of about as many rows.

    Which intervals depends on both samples together alone.
    """
    if isinstance(before, NumberValues) and isinstance(now, NumberValues):
        return _cut_numbers(before, now, depth)
    if isinstance(before, ByLabel) and isinstance(now, ByLabel):
        return _cut_within_labels(before, now, depth)
    assert isinstance(before, Values)
    assert isinstance(now, Values)
    return _cut_values(before, now)


def _cut_values(before: Values, now: Values) -> Parts:
    names = before.counts.keys() | now.counts.keys()
    for one in (before, now):
        if not one.complete:
            names &= one.counts.keys()
    ordered = sorted(names)
    first, total = _count(before.counts, now.counts, ordered)
    share = before.rows / max(before.rows + now.rows, 1)
    return Parts([repr(name) for name in ordered], first, total, share * total)


def _cut_numbers(before: NumberValues, now: NumberValues, depth: int) -> Parts:
    own, other = align([before, now])
    keys = sorted(own.counts.keys() | other.counts.keys())
    first, total = _count(own.counts, other.counts, keys)
    if not keys:
        return Parts([], first, total, total)
    middle = np.cumsum(total) - total / 2
    place = (middle / total.sum() * 2**depth).astype(int)
    starts = np.flatnonzero(np.diff(place, prepend=-1))
    buckets = NumberValues(dict.fromkeys(keys, 1), own.on_grid).buckets()
    names = [
        Interval(buckets[start][0], buckets[end - 1][1])
        for start, end in pairwise([*starts, len(keys)])
    ]
    first, total = np.add.reduceat(first, starts), np.add.reduceat(total, starts)
    return Parts(names, first, total, total * first.sum() / total.sum())


def _cut_within_labels(before: ByLabel, now: ByLabel, depth: int) -> Parts:
    """Cuts the rows of each label by itself; puts those of one rank together, of all labels.

    What is expected is so for each label: that there are more products of one is no
    difference of their numbers.
    """
    keys = sorted(before.counts.keys() | now.counts.keys())
    first, total = _count(before.counts, now.counts, keys)
    labels: np.ndarray = np.unique([label for label, _ in keys], return_inverse=True)[1]
    of_label, first_of_label = np.bincount(labels, total), np.bincount(labels, first)
    below = np.cumsum(of_label) - of_label
    middle = np.cumsum(total) - total / 2
    size = 2**depth
    place = ((middle - below[labels]) / of_label[labels] * size).astype(int)
    expected = total * (first_of_label / of_label)[labels]
    names = [Interval(n / size, (n + 1) / size, of_ranks=True) for n in range(size)]
    return Parts(names, *(np.bincount(place, own, size) for own in (first, total, expected)))


def _count(
    before: Mapping[Any, float], now: Mapping[Any, float], keys: Sequence[Any]
) -> tuple[np.ndarray, np.ndarray]:
    """Returns counts of the first sample, and of both."""
    first = np.array([before.get(key, 0) for key in keys], np.float64)
    return first, first + np.array([now.get(key, 0) for key in keys], np.float64)
