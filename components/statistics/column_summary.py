"""Statistics of one column of any kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from components.examples import Example
from components.statistics.first_records import FirstRecords
from components.statistics.messages import add_number, add_ranked, fill_common
from components.statistics.number_column import NumberColumn
from components.statistics.other_column import OtherColumn
from components.statistics.picture_column import BROKEN, FORMATS, PictureColumn
from components.statistics.text_column import TextColumn
from components.statistics.value_column import ValueColumn
from trainer.data.pictures import PictureError


class Values(Protocol):
    """What a kind of column keeps of its values."""

    type: str

    def add(self, value: Any, row: int, record_id: str) -> None:
        """Takes in the value of a record."""

    def merge(self, other: Any) -> None:
        """Takes in what another one has."""

    def write(self, feature: Any) -> Any:
        """Fills a `FeatureNameStatistics`; returns the message that has its `common_stats`."""

    def records(self) -> dict[str, Any]:
        """Returns records to look at."""


KINDS: dict[str, Callable[[], Values]] = {
    "number": NumberColumn,
    "text": TextColumn,
    "image": PictureColumn,
    "category": ValueColumn,
    "label": ValueColumn,
    "auxiliary label": ValueColumn,
}
"""How the columns of a kind are summarized; those of others by `OtherColumn`."""


class ColumnSummary:
    """Cells by what is in them, and what their values are like.

    Args:
        name: str. Of the column.
        kind: str. A modality, `label` ...
    """

    def __init__(self, name: str, kind: str) -> None:
        self.name = name
        self.kind = kind
        self.values: Values = KINDS.get(kind, OtherColumn)()
        self._filled = 0
        self._empty = 0
        self._mistyped = FirstRecords()
        self._num_mistyped = 0
        self._broken = FirstRecords()
        self._num_broken = 0

    def add(self, example: Example, problem: str = "") -> None:
        """Takes in the cell of a record.

        Args:
            example: The record.
            problem: What was wrong with the cell, where it has no value for that reason.
        """
        value = example.values.get(self.name)
        if value is None:
            if problem:
                self._note_broken(example, problem)
            else:
                self._empty += 1
        elif isinstance(value, bytes) == (self.values.type == "FLOAT"):
            self._num_mistyped += 1
            self._mistyped.add(example.row, example.id, type(value).__name__)
        else:
            try:
                self.values.add(value, example.row, example.id)
                self._filled += 1
            except PictureError as error:
                self._note_broken(example, str(error))

    def merge(self, other: ColumnSummary) -> None:
        """Takes in what another one of the same column has."""
        self.values.merge(other.values)
        self._filled += other._filled
        self._empty += other._empty
        self._num_mistyped += other._num_mistyped
        self._mistyped.merge(other._mistyped)
        self._num_broken += other._num_broken
        self._broken.merge(other._broken)

    def write(self, feature: Any) -> None:
        """Fills a `FeatureNameStatistics`."""
        feature.path.step.append(self.name)
        feature.type = feature.Type.Value(self.values.type)
        feature.custom_stats.add(name="kind", str=self.kind)
        stats = self.values.write(feature)
        cells = {
            "filled": self._filled,
            "empty": self._empty,
            "broken": self._num_broken,
            "mistyped": self._num_mistyped,
        }
        rows = sum(cells.values())
        fill_common(stats.common_stats, self._filled, rows - self._filled)
        add_ranked(feature, "cells/values", list(cells.items()))
        add_number(feature, "cells/rows", rows)
        if isinstance(self.values, PictureColumn):
            broken = [(BROKEN, self._num_broken)] if self._num_broken else []
            add_ranked(feature, FORMATS, [*self.values.formats(), *broken])

    def records(self) -> dict[str, Any]:
        """Returns records to look at."""
        told = {"broken": self._broken.noted(), "mistyped": self._mistyped.noted()}
        return {name: records for name, records in told.items() if records} | self.values.records()

    def _note_broken(self, example: Example, problem: str) -> None:
        self._num_broken += 1
        self._broken.add(example.row, example.id, problem)
