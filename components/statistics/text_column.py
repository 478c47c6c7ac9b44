"""Statistics of a column of texts."""

from __future__ import annotations

from typing import Any

from components.statistics.distinct import DistinctCount, hash_value
from components.statistics.messages import add_number, add_ranked
from components.statistics.numbers import Numbers
from components.statistics.text_measures import script_of, words_of
from components.statistics.value_counts import ValueCounts


class TextColumn:
    """Length, script and vocabulary."""

    type = "STRING"

    def __init__(self) -> None:
        self._characters = Numbers()
        self._words = Numbers()
        self._bytes = Numbers()
        self._scripts = ValueCounts()
        self._vocabulary = ValueCounts()
        self._distinct = DistinctCount()

    def add(self, value: bytes, row: int, record_id: str) -> None:
        """Takes in the text of a record."""
        del record_id
        text = value.decode("utf-8", errors="replace")
        words = words_of(text)
        self._characters.add(float(len(text)))
        self._words.add(float(len(words)))
        self._bytes.add(float(len(value)))
        self._scripts.add(row, (script_of(text),))
        self._vocabulary.add(row, words)
        self._distinct.add(hash_value(value))

    def merge(self, other: TextColumn) -> None:
        """Takes in what another one has."""
        self._characters.merge(other._characters)
        self._words.merge(other._words)
        self._bytes.merge(other._bytes)
        self._scripts.merge(other._scripts)
        self._vocabulary.merge(other._vocabulary)
        self._distinct.merge(other._distinct)

    def write(self, feature: Any) -> Any:
        """Fills a `FeatureNameStatistics`; returns the message that has its `common_stats`."""
        stats = feature.string_stats
        stats.SetInParent()
        stats.unique = self._distinct.count
        if self._bytes.moments.count:
            stats.avg_length = self._bytes.moments.mean
        self._characters.write(feature, "characters")
        self._words.write(feature, "words")
        add_ranked(feature, "script/values", self._scripts.most_common())
        add_number(feature, "script/rows", self._scripts.rows)
        add_ranked(feature, "vocabulary/values", self._vocabulary.most_common())
        add_number(feature, "vocabulary/rows", self._vocabulary.rows)
        add_number(feature, "vocabulary/distinct", self._vocabulary.distinct)
        return stats

    def records(self) -> dict[str, Any]:
        """Returns nothing: no text stands out by itself."""
        return {}
