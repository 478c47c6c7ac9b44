"""Whether two sets of examples are of one population: drift of spans, skew of splits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from components.example_validator.finding import Finding, Kind, Severity
from components.example_validator.shift import Shift, find_shift, jensen_shannon
from components.examples import UNLABELED
from components.statistics.measures import (
    LABEL_KINDS,
    MODEL_KINDS,
    Measure,
    kind_of,
    name_of,
    pool,
    read_measures,
)
from components.statistics.numbers_by_label import NAME as BY_LABEL

Measures = Mapping[str, Mapping[str, Measure]]
"""What was measured, by column and name."""


@dataclass(frozen=True)
class Comparison:
    """A comparison of two sets of examples.

    Args:
        kind: `DRIFT` or `SKEW`.
        split: Which the findings are of; `""` for all.
        before: In words, what the rows are compared with.
        now: In words, the rows.
        comparators: `FeatureComparator` of the schema by column, where it has one.
        min_size: Smallest difference that matters, where the schema does not say.
        false_alarm_rate: See `Parameters`.
    """

    kind: Kind
    split: str
    before: str
    now: str
    comparators: Mapping[str, Any]
    min_size: float
    false_alarm_rate: float

    def find(self, before: Measures, now: Measures) -> list[Finding]:
        """Returns what differs: significantly, and by as much as matters.

        Columns share the rate of false alarms equally, and what was measured of a column
        shares that of the column: so the rate holds for all together, whatever depends
        on what.
        """
        found = []
        columns = [name for name in now if name in before]
        for name in columns:
            measured = [of for of in now[name] if of in before[name]]
            for of in measured:
                one, other = before[name][of], now[name][of]
                comparator = self.comparators.get(name) if of == "value" else None
                min_size = self._min_size(comparator)
                shift = find_shift(one, other, min_size)
                if shift is None:
                    continue
                p_value = min(1.0, shift.p_value * len(columns) * len(measured))
                if p_value <= self.false_alarm_rate and _diverges(comparator, one, other):
                    found.append(self._report(name, of, shift, p_value, min_size))
        return found

    def _min_size(self, comparator: Any) -> float:
        if comparator is not None and comparator.HasField("infinity_norm"):
            return comparator.infinity_norm.threshold
        return self.min_size

    def _report(self, name: str, of: str, shift: Shift, p_value: float, min_size: float) -> Finding:
        what = {
            "value": f"The column {name!r}",
            "cells": f"How full the column {name!r} is",
            BY_LABEL: f"The column {name!r} within labels",
        }
        return Finding(
            self.split,
            name,
            self.kind,
            Severity.WARNING,
            f"{what.get(of, f'The {of} of {name!r}')} has changed: {shift.where} in "
            f"{shift.before:.1%} of {self.before} and in {shift.now:.1%} of {self.now} "
            f"(p = {p_value:.1g}).",
            figures={
                "where": shift.where,
                "before": shift.before,
                "now": shift.now,
                "p_value": p_value,
                "min_size": min_size,
            },
            measure=of,
        )


def collect(datasets: Mapping[str, Any]) -> dict[str, dict[str, Measure]]:
    """Returns what was measured in all of some splits together, of what models read or learn.

    Args:
        datasets: `DatasetFeatureStatistics` by split; labels of `UNLABELED` are passed over.
    """
    found: dict[str, dict[str, list[Measure]]] = {}
    for split, dataset in datasets.items():
        for feature in dataset.features:
            kind = kind_of(feature)
            if kind and kind not in MODEL_KINDS | LABEL_KINDS:
                continue
            if split == UNLABELED and kind in LABEL_KINDS:
                continue
            for of, measure in read_measures(feature).items():
                found.setdefault(name_of(feature), {}).setdefault(of, []).append(measure)
    return {
        name: {of: pool(parts) for of, parts in measures.items()}
        for name, measures in found.items()
    }


def _diverges(comparator: Any, before: Measure, now: Measure) -> bool:
    """Says whether the divergence is above what the schema allows, where it does."""
    if comparator is None or not comparator.HasField("jensen_shannon_divergence"):
        return True
    return jensen_shannon(before, now) > comparator.jensen_shannon_divergence.threshold
