"""Writes the page on which people look at statistics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.statistics.histogram import Histogram, draw_histogram
from components.statistics.measures import (
    Measure,
    NumberValues,
    Values,
    count_cells,
    kind_of,
    name_of,
    read_measures,
)
from components.statistics.number_counts import quantiles
from trainer.report.page import render_page, write_page

_TEMPLATES = Path(__file__).parent / "templates"
_SHOWN = 12
_UNITS = {
    "width": "pixels",
    "height": "pixels",
    "red": "0 to 255",
    "green": "0 to 255",
    "blue": "0 to 255",
    "warmth": "red above blue",
    "tint": "green above red and blue",
    "brightness": "0 to 255",
    "sharpness": "variance of the Laplacian",
}


@dataclass(frozen=True)
class NumberView:
    """Numbers of a column, as shown.

    Args:
        name: str.
        unit: str.
        histograms: By split.
        figures: By split: mean, deviation, lowest, median, highest.
    """

    name: str
    unit: str
    histograms: Mapping[str, Histogram]
    figures: Mapping[str, tuple[float, ...]]


@dataclass(frozen=True)
class ValuesView:
    """Values of a column, as shown.

    Args:
        name: str.
        distinct: Different values by split.
        shares: By value and split; the most common in all splits.
        left_out: How many values are not shown.
    """

    name: str
    distinct: Mapping[str, int]
    shares: Mapping[str, Mapping[str, float]]
    left_out: int


@dataclass(frozen=True)
class ColumnView:
    """A column, as shown.

    Args:
        name: str.
        kind: str.
        cells: By split and what is in them.
        distinct: Different values by split.
        numbers: What was measured in numbers.
        values: What was counted by value.
    """

    name: str
    kind: str
    cells: Mapping[str, Mapping[str, float]]
    distinct: Mapping[str, int]
    numbers: list[NumberView]
    values: list[ValuesView]


def write_statistics_page(path: Path, datasets: Mapping[str, Any]) -> None:
    """Writes `statistics.html`, whole or not at all.

    Args:
        path: File to write.
        datasets: `DatasetFeatureStatistics` by split.
    """
    features: dict[str, dict[str, Any]] = {}
    for split, dataset in datasets.items():
        for feature in dataset.features:
            features.setdefault(name_of(feature), {})[split] = feature
    page = render_page(
        "statistics.html",
        templates=_TEMPLATES,
        title="What the examples are like",
        rows={split: dataset.num_examples for split, dataset in datasets.items()},
        columns=[_view(name, by_split) for name, by_split in features.items()],
    )
    write_page(path, page)


def _view(name: str, features: Mapping[str, Any]) -> ColumnView:
    by_name: dict[str, dict[str, Measure]] = {}
    for split, feature in features.items():
        for of, measure in read_measures(feature).items():
            by_name.setdefault(of, {})[split] = measure
    numbers, values = [], []
    for of, measures in by_name.items():
        of_numbers = {s: one for s, one in measures.items() if isinstance(one, NumberValues)}
        of_values = {s: one for s, one in measures.items() if isinstance(one, Values) and one.rows}
        if of_numbers:
            numbers.append(_view_numbers(of, of_numbers, features))
        elif of_values and of != "cells":
            values.append(_view_values(of, of_values))
    return ColumnView(
        name,
        kind_of(next(iter(features.values()))),
        {split: count_cells(feature) for split, feature in features.items()},
        {split: _count_distinct(feature) for split, feature in features.items()},
        numbers,
        values,
    )


def _count_distinct(feature: Any) -> int:
    """Returns how many different values there are; of numbers, how many are told apart."""
    kind = feature.WhichOneof("stats")
    if kind == "num_stats":
        values = read_measures(feature).get("value")
        return len(values.counts) if values else 0
    return getattr(feature, kind).unique


def _view_numbers(
    name: str, measures: Mapping[str, NumberValues], features: Mapping[str, Any]
) -> NumberView:
    figures = {}
    for split, measure in measures.items():
        stats = {stat.name: stat.num for stat in features[split].custom_stats}
        own = features[split].num_stats
        median = quantiles(measure.buckets(), [0.5])[0]
        parts = ("mean", "std_dev", "min", "max")
        mean, deviation, lowest, highest = (
            getattr(own, part) if name == "value" else stats[f"{name}/{part}"] for part in parts
        )
        figures[split] = (mean, deviation, lowest, min(max(median, lowest), highest), highest)
    return NumberView(name, _UNITS.get(name, ""), draw_histogram(measures), figures)


def _view_values(name: str, measures: Mapping[str, Values]) -> ValuesView:
    total: dict[str, float] = {}
    for measure in measures.values():
        for value, count in measure.counts.items():
            total[value] = total.get(value, 0.0) + count / measure.rows
    ranked = sorted(total, key=lambda value: (-total[value], value))
    return ValuesView(
        name,
        {split: len(measure.counts) for split, measure in measures.items()},
        {
            value: {
                split: measure.counts.get(value, 0) / measure.rows
                for split, measure in measures.items()
            }
            for value in ranked[:_SHOWN]
        },
        max(0, len(ranked) - _SHOWN),
    )
