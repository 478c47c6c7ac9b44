"""How often each value occurs: exactly while the values are few, then in a sample of rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from components.statistics.distinct import DistinctCount, hash_value

MAX_VALUES = 10_000
"""So many different values are counted one by one."""


class ValueCounts:
    """Counts of the rows that have each value; any split of the rows merges to the same.

    Every row has a level, `n` with a chance of 2 ** -(n + 1), that follows from its number. While
    there are at most `MAX_VALUES` different values all rows are counted, beyond only those from
    the lowest level on that leaves so few values. So what is counted is all rows or a
    random sample of them, and which depends neither on their order nor on who has counted
    them. Of n rows in the sample, a share p is known with a standard error of
    sqrt(p * (1 - p) / n).

    Args:
        max_values: int.
    """

    def __init__(self, max_values: int = MAX_VALUES) -> None:
        self.level = 0
        self.totals: Counter[str] = Counter()
        self._max_values = max_values
        self._rows: Counter[int] = Counter()  # by level
        self._by_level: dict[int, Counter[str]] = {}
        self._distinct = DistinctCount()

    def add(self, row: int, values: Iterable[str]) -> None:
        """Takes in the different values of a row."""
        level = row_level(row)
        self._rows[level] += 1
        kept = set(values)
        if self.level:
            self._note(kept)
        if level >= self.level:
            self._by_level.setdefault(level, Counter()).update(kept)
            self.totals.update(kept)
            self._limit()

    def merge(self, other: ValueCounts) -> None:
        """Takes in what another one has."""
        self._rows.update(other._rows)
        if other.level and not self.level:
            self._note(self.totals)
        if self.level and not other.level:
            self._note(other.totals)
        self._distinct.merge(other._distinct)
        self._raise_to(max(self.level, other.level))
        for level, counts in other._by_level.items():
            if level >= self.level:
                self._by_level.setdefault(level, Counter()).update(counts)
                self.totals.update(counts)
        self._limit()

    @property
    def rows(self) -> int:
        """Rows that are counted."""
        return sum(count for level, count in self._rows.items() if level >= self.level)

    @property
    def distinct(self) -> int:
        """Number of different values of all rows; see `DistinctCount` where it is an estimate."""
        return self._distinct.count if self.level else len(self.totals)

    def most_common(self, limit: int | None = None) -> list[tuple[str, int]]:
        """Returns values and their rows among `rows`, in order; equals by name."""
        ranked = sorted(self.totals.items(), key=lambda item: (-item[1], item[0]))
        return ranked[:limit]

    def _limit(self) -> None:
        while len(self.totals) > self._max_values:
            if not self.level:
                self._note(self.totals)
            self._raise_to(self.level + 1)

    def _raise_to(self, level: int) -> None:
        if level == self.level:
            return
        for low in range(self.level, level):
            self._by_level.pop(low, None)
        self.level = level
        self.totals = Counter()
        for counts in self._by_level.values():
            self.totals.update(counts)

    def _note(self, values: Iterable[str]) -> None:
        for value in values:
            self._distinct.add(hash_value(value.encode()))


def row_level(row: int) -> int:
    """Returns n with a chance of 2 ** -(n + 1); the same for the same row."""
    mixed = (row + 1) * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9 & 0xFFFFFFFFFFFFFFFF
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB & 0xFFFFFFFFFFFFFFFF
    mixed ^= mixed >> 31
    return (mixed & -mixed).bit_length() - 1 if mixed else 64
