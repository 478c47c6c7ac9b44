"""Reads what was measured of a column back from its statistics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.statistics.number_counts import cell_bounds, cell_of, to_cells
from components.statistics.numbers_by_label import NAME as BY_LABEL
from components.statistics.numbers_by_label import read_cell
from components.statistics.picture_column import BROKEN, FORMATS

LABEL_KINDS = frozenset({"label", "auxiliary label"})
MODEL_KINDS = frozenset({"image", "text", "number", "category", "audio", "series"})


@dataclass(frozen=True)
class Values:
    """How many rows have each value.

    Args:
        counts: By value.
        rows: All that were counted; a row may have several values or none.
        complete: Whether values that are not among the counts do not occur; otherwise
            nobody knows.
    """

    counts: Mapping[str, float]
    rows: float
    complete: bool


@dataclass(frozen=True)
class NumberValues:
    """How many rows have each number, or a number of each cell of the grid.

    Args:
        counts: By number, or by cell of `components.statistics.number_counts`.
        on_grid: Whether the keys are cells.
    """

    counts: Mapping[float, float]
    on_grid: bool

    @property
    def rows(self) -> float:
        """All that were counted."""
        return sum(self.counts.values())

    def to_grid(self) -> NumberValues:
        """Returns the counts by cell."""
        return self if self.on_grid else NumberValues(to_cells(self.counts.items()), True)

    def buckets(self) -> list[tuple[float, float, float]]:
        """Returns `(lowest, highest, rows)` in order."""
        return [
            (*(cell_bounds(int(key)) if self.on_grid else (key, key)), self.counts[key])
            for key in sorted(self.counts)
        ]


@dataclass(frozen=True)
class ByLabel:
    """How many rows of each label have a number of each cell of the coarse grid.

    Args:
        counts: By label and cell.
    """

    counts: Mapping[tuple[str, int], float]

    @property
    def rows(self) -> float:
        """All that were counted."""
        return sum(self.counts.values())


Measure = Values | NumberValues | ByLabel


def name_of(feature: Any) -> str:
    """Returns the name of the column of a `FeatureNameStatistics`."""
    return feature.name or ".".join(feature.path.step)


def kind_of(feature: Any) -> str:
    """Returns the kind of a column; `""` where others have written the statistics."""
    return next((stat.str for stat in feature.custom_stats if stat.name == "kind"), "")


def common_of(feature: Any) -> Any:
    """Returns the `CommonStatistics` of a column."""
    return getattr(feature, feature.WhichOneof("stats") or "num_stats").common_stats


def count_cells(feature: Any) -> dict[str, float]:
    """Returns cells by what is in them: `filled`, `empty`, `broken`, `mistyped`."""
    found = {stat.name: stat for stat in feature.custom_stats}.get("cells/values")
    if found is not None:
        return _read_counts(found.rank_histogram)
    common = common_of(feature)
    filled, empty = float(common.num_non_missing), float(common.num_missing)
    return {"filled": filled, "empty": empty, "broken": 0.0, "mistyped": 0.0}


def read_measures(feature: Any) -> dict[str, Measure]:
    """Returns what was measured of a column by name.

    Of statistics that TensorFlow Data Validation has written, whose histograms of numbers
    have bounds of their own in each file, cells and values only.
    """
    stats = {stat.name: stat for stat in feature.custom_stats}
    cells = count_cells(feature)
    found: dict[str, Measure] = {"cells": Values(cells, sum(cells.values()), True)}
    for name, stat in stats.items():
        of, _, part = name.rpartition("/")
        if part == "buckets":
            found[of] = _read_buckets(stat.histogram)
        elif part == "values" and of == BY_LABEL:
            told = _read_counts(stat.rank_histogram)
            found[of] = ByLabel({read_cell(value): count for value, count in told.items()})
        elif part == "values" and of != "cells":
            found[of] = Values(_read_counts(stat.rank_histogram), stats[f"{of}/rows"].num, True)
    if FORMATS in stats:
        formats = _read_counts(stats[FORMATS].rank_histogram)
        formats.pop(BROKEN, None)
        found["format"] = Values(formats, sum(formats.values()), True)
    if feature.HasField("string_stats") and feature.string_stats.rank_histogram.buckets:
        rows = stats["value/rows"].num if "value/rows" in stats else cells["filled"]
        counts = _read_counts(feature.string_stats.rank_histogram)
        found["value"] = Values(counts, rows, complete=sum(counts.values()) == rows)
    return found


def read_measure(datasets: Iterable[Any], column: str, name: str) -> list[Measure]:
    """Returns what was measured of a column in each of some splits that have it."""
    read = (
        read_measures(feature)
        for dataset in datasets
        for feature in dataset.features
        if name_of(feature) == column
    )
    return [measures[name] for measures in read if name in measures]


def pool(measures: Sequence[Measure]) -> Measure:
    """Returns what was measured of the rows of several splits together."""
    counts: Counter[Any] = Counter()
    of_numbers = [one for one in measures if isinstance(one, NumberValues)]
    if of_numbers:
        of_numbers = align(of_numbers)
        for numbers in of_numbers:
            counts.update(numbers.counts)
        return NumberValues(counts, of_numbers[0].on_grid)
    of_labels = [one for one in measures if isinstance(one, ByLabel)]
    if of_labels:
        for by_label in of_labels:
            counts.update(by_label.counts)
        return ByLabel(counts)
    of_values = [one for one in measures if isinstance(one, Values)]
    for values in of_values:
        counts.update(values.counts)
    cut = [values.counts.keys() for values in of_values if not values.complete]
    known = {name: count for name, count in counts.items() if all(name in names for names in cut)}
    return Values(known, sum(values.rows for values in of_values), not cut)


def align(measures: Sequence[NumberValues]) -> list[NumberValues]:
    """Returns all by number, or all by cell where any is by cell."""
    if any(one.on_grid for one in measures):
        return [one.to_grid() for one in measures]
    return list(measures)


def _read_buckets(histogram: Any) -> NumberValues:
    found = [(b.low_value, b.high_value, b.sample_count) for b in histogram.buckets]
    if all(low == high for low, high, _ in found):
        return NumberValues({low: count for low, _, count in found}, False)
    return NumberValues({cell_of((low + high) / 2): count for low, high, count in found}, True)


def _read_counts(histogram: Any) -> dict[str, float]:
    return {bucket.label: bucket.sample_count for bucket in histogram.buckets}
