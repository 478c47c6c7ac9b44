"""Writes the page on which people look at what is wrong with examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.example_validator.finding import Finding, Kind, Severity
from components.example_validator.written import short_name
from components.statistics.histogram import Histogram, draw_histogram
from components.statistics.measures import Measure, NumberValues, Values, pool, read_measure
from trainer.report.page import render_page, write_page

_TEMPLATES = Path(__file__).parent / "templates"
_SHOWN = 8


@dataclass(frozen=True)
class View:
    """A finding, as shown.

    Args:
        finding: What was found.
        name: A few words for its kind.
        sides: In words, what was compared.
        histograms: Of numbers that have changed, by side.
        shares: Of values that have changed, by value and in the order of the sides; the
            largest changes first.
    """

    finding: Finding
    name: str
    sides: Sequence[str]
    histograms: Mapping[str, Histogram]
    shares: Mapping[str, Sequence[float]]


def write_anomalies_page(
    path: Path,
    found: Sequence[Finding],
    datasets: Mapping[str, Any],
    now: Mapping[str, Any],
    before: Mapping[str, Any],
) -> None:
    """Writes `anomalies.html`, whole or not at all.

    Args:
        path: File to write.
        found: All findings, the gravest first.
        datasets: `DatasetFeatureStatistics` by split.
        now: Those of the rows that were compared; see `read_new_statistics`.
        before: Those of the baseline; empty where there is none.
    """
    page = render_page(
        "anomalies.html",
        templates=_TEMPLATES,
        title="What is wrong with the examples",
        rows={split: dataset.num_examples for split, dataset in datasets.items()},
        counts={str(level): sum(one.severity == level for one in found) for level in Severity},
        has_baseline=bool(before),
        views=[_view(one, now, before) for one in found],
    )
    write_page(path, page)


def _view(one: Finding, now: Mapping[str, Any], before: Mapping[str, Any]) -> View:
    sides: dict[str, list[Any]] = {}
    if one.kind == Kind.DRIFT:
        sides = {"before": list(before.values()), "now": list(now.values())}
    elif one.kind == Kind.SKEW:
        sides = {split: [now[split]] for split in ("train", one.split)}
    measures = {
        name: pool(read_measure(own, one.column, one.measure)) for name, own in sides.items()
    }
    return View(one, short_name(one.kind), list(sides), _draw(measures), _compare(measures))


def _draw(measures: Mapping[str, Measure]) -> dict[str, Histogram]:
    numbers = {name: of for name, of in measures.items() if isinstance(of, NumberValues)}
    return draw_histogram(numbers) if numbers else {}


def _compare(measures: Mapping[str, Measure]) -> dict[str, list[float]]:
    sides = [of for of in measures.values() if isinstance(of, Values)]
    if not sides:
        return {}
    values = {value for side in sides for value in side.counts}
    shares = {value: [side.counts.get(value, 0) / side.rows for side in sides] for value in values}
    ranked = sorted(values, key=lambda value: (-abs(shares[value][0] - shares[value][1]), value))
    return {value: shares[value] for value in ranked[:_SHOWN]}
