"""Numbers of the products of each label: a price that is common may be odd for what it buys."""

from __future__ import annotations

import math
from typing import Any

from components.statistics.messages import add_number, add_ranked
from components.statistics.number_counts import coarse_cell
from components.statistics.value_counts import ValueCounts

NAME = "by label"
"""Of what is measured."""


class NumbersByLabel:
    """Counts rows by label and cell of the coarse grid; of very many in a sample of rows."""

    def __init__(self) -> None:
        self._counts = ValueCounts()

    def add(self, row: int, value: object, label: str) -> None:
        """Takes in a row, if it has a number and a label."""
        if label and isinstance(value, float) and math.isfinite(value):
            self._counts.add(row, (f"{coarse_cell(value)} {label}",))

    def merge(self, other: NumbersByLabel) -> None:
        """Takes in what another one has."""
        self._counts.merge(other._counts)

    def write(self, feature: Any) -> None:
        """Writes them as custom statistics of a `FeatureNameStatistics`."""
        add_ranked(feature, f"{NAME}/values", self._counts.most_common())
        add_number(feature, f"{NAME}/rows", self._counts.rows)


def read_cell(value: str) -> tuple[str, int]:
    """Returns label and cell of a value that was written."""
    cell, _, label = value.partition(" ")
    return label, int(cell)
