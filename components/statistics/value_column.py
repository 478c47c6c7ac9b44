"""Statistics of a column of categories or labels, or of anything that is only counted."""

from __future__ import annotations

from typing import Any

from components.statistics.first_records import FirstRecords
from components.statistics.messages import add_number, fill_ranked
from components.statistics.moments import Moments
from components.statistics.value_counts import MAX_VALUES, ValueCounts

_TOP, _EXAMPLES = 10, 3


class ValueColumn:
    """How often each value occurs, and while all are counted, in which records first.

    Args:
        max_values: int. See `ValueCounts`.
    """

    type = "STRING"

    def __init__(self, max_values: int = MAX_VALUES) -> None:
        self._counts = ValueCounts(max_values)
        self._bytes = Moments()
        self._records: dict[str, FirstRecords] = {}

    def add(self, value: bytes, row: int, record_id: str) -> None:
        """Takes in the value of a record."""
        text = value.decode("utf-8", errors="replace")
        self._counts.add(row, (text,))
        self._bytes.add(float(len(value)))
        if not self._counts.level:
            self._records.setdefault(text, FirstRecords(_EXAMPLES)).add(row, record_id)
        self._forget()

    def merge(self, other: ValueColumn) -> None:
        """Takes in what another one has."""
        self._counts.merge(other._counts)
        self._bytes.merge(other._bytes)
        for value, records in other._records.items():
            self._records.setdefault(value, FirstRecords(_EXAMPLES)).merge(records)
        self._forget()

    def write(self, feature: Any) -> Any:
        """Fills a `FeatureNameStatistics`; returns the message that has its `common_stats`."""
        stats = feature.string_stats
        stats.SetInParent()
        stats.unique = self._counts.distinct
        if self._bytes.count:
            stats.avg_length = self._bytes.mean
        ranked = self._counts.most_common()
        for value, count in ranked[:_TOP]:
            stats.top_values.add(value=value, frequency=count)
        fill_ranked(stats.rank_histogram, ranked)
        add_number(feature, "value/rows", self._counts.rows)
        return stats

    def records(self) -> dict[str, Any]:
        """Returns the first records of each value; nothing once only some rows are counted."""
        if self._counts.level:
            return {}
        return {"values": {name: self._records[name].ids() for name in sorted(self._records)}}

    def _forget(self) -> None:
        """Drops the records once only some rows are counted.

        Which values were counted until then, and so which records would be the first, depends
        on who has counted.
        """
        if self._counts.level:
            self._records.clear()
