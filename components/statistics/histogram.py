"""Bars of numbers, for pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from components.statistics.measures import NumberValues, pool
from components.statistics.number_counts import quantiles

NUM_BARS = 24
_EDGE = 0.01
# Beyond this ratio of high to low numbers, all but the highest would be in one bar.
_WIDE = 30.0


@dataclass(frozen=True)
class Histogram:
    """Bars over one axis.

    Args:
        shares: Of the rows, from left to right.
        tallest: Of the bars of all that are shown over the same axis.
        low: Where the axis begins; the first bar also counts what is below.
        high: Where it ends; the last bar also counts what is above.
        logarithmic: Whether equal ways are equal ratios.
    """

    shares: tuple[float, ...]
    tallest: float
    low: float
    high: float
    logarithmic: bool


def draw_histogram(measures: Mapping[str, NumberValues]) -> dict[str, Histogram]:
    """Returns histograms over one axis, by the names of what was measured; not of nothing."""
    whole = pool(list(measures.values()))
    assert isinstance(whole, NumberValues)
    low, high = quantiles(whole.buckets(), [_EDGE, 1 - _EDGE])
    logarithmic = low > 0 and high / low > _WIDE
    low, high = (low, high) if low < high else (low - 0.5, high + 0.5)
    space = np.geomspace if logarithmic else np.linspace
    inner = space(low, high, NUM_BARS + 1)[1:-1]
    shares = {name: _count(measure, inner) for name, measure in measures.items()}
    tallest = max(max(own) for own in shares.values())
    return {name: Histogram(own, tallest, low, high, logarithmic) for name, own in shares.items()}


def _count(measure: NumberValues, inner: np.ndarray) -> tuple[float, ...]:
    lows, highs, counts = np.array(measure.buckets()).T
    places = np.searchsorted(inner, (lows + highs) / 2, side="right")
    return tuple((np.bincount(places, counts, NUM_BARS) / counts.sum()).tolist())
