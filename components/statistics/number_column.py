"""Statistics of a column of numbers, such as a price."""

from __future__ import annotations

import math
from typing import Any

from components.statistics.first_records import FirstRecords
from components.statistics.messages import add_buckets, fill_histograms
from components.statistics.numbers import Numbers


class NumberColumn:
    """Values of float32; NaN and infinities are counted beside the numbers."""

    type = "FLOAT"

    def __init__(self) -> None:
        self._numbers = Numbers()
        self._nan = 0
        self._endless = 0
        self._lowest = FirstRecords()
        self._highest = FirstRecords()

    def add(self, value: float, row: int, record_id: str) -> None:
        """Takes in the value of a record."""
        del row
        if math.isnan(value):
            self._nan += 1
        elif math.isinf(value):
            self._endless += 1
        else:
            self._numbers.add(value)
            self._lowest.add(value, record_id)
            self._highest.add(-value, record_id)

    def merge(self, other: NumberColumn) -> None:
        """Takes in what another one has."""
        self._numbers.merge(other._numbers)
        self._nan += other._nan
        self._endless += other._endless
        self._lowest.merge(other._lowest)
        self._highest.merge(other._highest)

    def write(self, feature: Any) -> Any:
        """Fills a `FeatureNameStatistics`; returns the message that has its `common_stats`."""
        stats = feature.num_stats
        stats.SetInParent()
        moments = self._numbers.moments
        if moments.count:
            stats.mean, stats.std_dev = moments.mean, moments.std_dev
            stats.min, stats.max = moments.min, moments.max
            stats.num_zeros = moments.zeros
            stats.median = self._numbers.quantiles([0.5])[0]
            buckets = self._numbers.counts.buckets()
            fill_histograms(stats, buckets, moments.min, moments.max, self._nan)
            add_buckets(feature, "value/buckets", buckets)
        if self._endless:
            feature.custom_stats.add(name="infinite", num=self._endless)
        return stats

    def records(self) -> dict[str, Any]:
        """Returns the records with extreme values."""
        highest = [(record_id, -key) for record_id, key in self._highest.keyed()]
        return {"lowest": self._lowest.keyed(), "highest": highest}
