"""A few records to look at, the same ones whoever has read them in whatever order."""

from __future__ import annotations

import bisect

MOST = 20


class FirstRecords:
    """The records with the lowest keys.

    Args:
        most: int. So many are kept.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._kept: list[tuple[float, str, str]] = []

    def add(self, key: float, record_id: str, note: str = "") -> None:
        """Takes in a record.

        Args:
            key: By which records are in order, such as the row.
            record_id: str.
            note: str. What is to be said of it.
        """
        if len(self._kept) < self._most or key <= self._kept[-1][0]:
            bisect.insort(self._kept, (key, record_id, note))
            del self._kept[self._most :]

    def merge(self, other: FirstRecords) -> None:
        """Takes in what another one has."""
        self._kept = sorted([*self._kept, *other._kept])[: self._most]

    def __bool__(self) -> bool:
        return bool(self._kept)

    def ids(self) -> list[str]:
        """Returns the ids, in order."""
        return [record_id for _, record_id, _ in self._kept]

    def keyed(self) -> list[tuple[str, float]]:
        """Returns ids and keys."""
        return [(record_id, key) for key, record_id, _ in self._kept]

    def noted(self) -> list[tuple[str, str]]:
        """Returns ids and notes."""
        return [(record_id, note) for _, record_id, note in self._kept]
