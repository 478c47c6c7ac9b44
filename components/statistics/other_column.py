"""Statistics of a column that no model reads, such as ids."""

from __future__ import annotations

from typing import Any

from components.statistics.distinct import DistinctCount, hash_value
from components.statistics.moments import Moments


class OtherColumn:
    """How long the values are, and how many different ones there are."""

    type = "STRING"

    def __init__(self) -> None:
        self._bytes = Moments()
        self._distinct = DistinctCount()

    def add(self, value: bytes, row: int, record_id: str) -> None:
        """Takes in the value of a record."""
        del row, record_id
        self._bytes.add(float(len(value)))
        self._distinct.add(hash_value(value))

    def merge(self, other: OtherColumn) -> None:
        """Takes in what another one has."""
        self._bytes.merge(other._bytes)
        self._distinct.merge(other._distinct)

    def write(self, feature: Any) -> Any:
        """Fills a `FeatureNameStatistics`; returns the message that has its `common_stats`."""
        stats = feature.string_stats
        stats.SetInParent()
        stats.unique = self._distinct.count
        if self._bytes.count:
            stats.avg_length = self._bytes.mean
        return stats

    def records(self) -> dict[str, Any]:
        """Returns nothing."""
        return {}
