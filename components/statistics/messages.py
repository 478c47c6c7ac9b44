"""Fills the messages of tensorflow-metadata."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from components.statistics.number_counts import quantiles

NUM_BUCKETS = 10
"""Of standard histograms, as TensorFlow Data Validation has them."""


def add_number(feature: Any, name: str, value: float) -> None:
    """Adds a number of our own to a `FeatureNameStatistics`."""
    feature.custom_stats.add(name=name, num=value)


def add_buckets(feature: Any, name: str, buckets: Iterable[tuple[float, float, float]]) -> None:
    """Adds counts by number of our own; each bucket is closed on both sides."""
    histogram = feature.custom_stats.add(name=name).histogram
    for low, high, count in buckets:
        histogram.buckets.add(low_value=low, high_value=high, sample_count=count)


def add_ranked(feature: Any, name: str, ranked: Sequence[tuple[str, float]]) -> None:
    """Adds counts by value of our own, the most common first."""
    fill_ranked(feature.custom_stats.add(name=name).rank_histogram, ranked)


def fill_ranked(histogram: Any, ranked: Sequence[tuple[str, float]]) -> None:
    """Fills a `RankHistogram`."""
    for rank, (value, count) in enumerate(ranked):
        histogram.buckets.add(low_rank=rank, high_rank=rank, label=value, sample_count=count)


def fill_common(common: Any, present: int, missing: int) -> None:
    """Fills the `CommonStatistics` of a column that has one value in a cell or none."""
    common.num_non_missing = present
    common.num_missing = missing
    if present:
        common.min_num_values = common.max_num_values = 1
        common.avg_num_values = 1.0
        common.tot_num_values = present


def fill_histograms(
    numeric: Any, buckets: Sequence[tuple[float, float, float]], low: float, high: float, nan: int
) -> None:
    """Adds ten buckets of one width, and ten of one count, to a `NumericStatistics`.

    Args:
        numeric: The message; not without numbers.
        buckets: As `NumberCounts.buckets` returns them.
        low: The lowest number.
        high: The highest number.
        nan: How many are no number.
    """
    lows, highs, counts = np.array(buckets).T
    # A cell of the grid counts where its middle is.
    middles = ((lows + highs) / 2).clip(low, high)
    if low < high:
        sums, edges = np.histogram(middles, NUM_BUCKETS, (low, high), weights=counts)
    else:
        sums, edges = counts.sum(keepdims=True), np.array([low, high])
    kinds = type(numeric.histograms.add(num_nan=nan)).HistogramType
    _fill(numeric.histograms[0], kinds.STANDARD, edges.tolist(), sums.tolist())
    shares = [step / NUM_BUCKETS for step in range(NUM_BUCKETS + 1)]
    cuts = [min(max(value, low), high) for value in quantiles(buckets, shares)]
    numeric.histograms.add(num_nan=nan)
    _fill(numeric.histograms[1], kinds.QUANTILES, cuts, [counts.sum() / NUM_BUCKETS] * NUM_BUCKETS)


def _fill(histogram: Any, kind: int, edges: Sequence[float], counts: Sequence[float]) -> None:
    histogram.type = kind
    for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True):
        histogram.buckets.add(low_value=low, high_value=high, sample_count=count)
