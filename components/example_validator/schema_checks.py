"""Compares the statistics of a split with a schema."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tensorflow_metadata.proto.v0 import schema_pb2

from components.example_validator.finding import NUM_IDS, Finding, Kind, Severity
from components.statistics.measures import (
    LABEL_KINDS,
    NumberValues,
    Values,
    common_of,
    count_cells,
    kind_of,
    name_of,
    read_measures,
)
from components.statistics.schemas import (
    by_name,
    domain_of,
    is_expected,
    kind_in_schema,
    schema_type,
)

_NUM_VALUES = 5


@dataclass(frozen=True)
class Cells:
    """A column of a split beside what the schema says of it.

    Args:
        feature: `FeatureNameStatistics`.
        expected: `Feature` of the schema.
        schema: The schema.
        source: In words, where the schema comes from.
        records: Records to look at.
        max_broken: Share of broken cells that may be, where the schema does not say.
        report: Makes a finding of kind, severity, message, ids and figures.
    """

    feature: Any
    expected: Any
    schema: Any
    source: str
    records: Mapping[str, Any]
    max_broken: float
    report: Callable[..., Finding]


def check_against_schema(
    split: str,
    dataset: Any,
    records: Mapping[str, Any],
    schema: Any,
    environment: str,
    max_broken: float,
    source: str = "the schema",
) -> list[Finding]:
    """Returns what in a split does not fit a schema.

    Args:
        split: str.
        dataset: `DatasetFeatureStatistics`.
        records: Records to look at, by column.
        schema: `Schema`.
        environment: Of the schema; `SERVING` for rows without a label.
        max_broken: See `Parameters`.
        source: In words, where the schema comes from.
    """
    found: list[Finding] = []
    features = {name_of(feature): feature for feature in dataset.features}
    for name, expected in by_name(schema).items():
        if not is_expected(schema, expected, environment):
            continue
        report = functools.partial(Finding, split, name)
        feature = features.get(name)
        needed = expected.presence.min_count or expected.presence.min_fraction
        if feature is None:
            if needed:
                message = f"The column {name!r} is missing."
                found.append(report(Kind.MISSING_COLUMN, Severity.ERROR, message))
            continue
        own = records.get(name, {})
        cells = Cells(feature, expected, schema, source, own, max_broken, report)
        for check in (_check_type, _check_presence, _check_broken, _check_values, _check_range):
            found += check(cells)
    for name, feature in features.items():
        if name not in by_name(schema) and common_of(feature).num_non_missing:
            message = f"The column {name!r} is new: {source} does not know it."
            found.append(Finding(split, name, Kind.NEW_COLUMN, Severity.WARNING, message))
    return found


def _check_type(cells: Cells) -> Iterator[Finding]:
    expected, received = cells.expected.type, schema_type(cells.feature)
    names = schema_pb2.FeatureType.Name
    told = cells.records.get("mistyped", [])
    if expected != received:
        yield cells.report(
            Kind.TYPE_CHANGE,
            Severity.ERROR,
            f"The column {cells.expected.name!r} must be {names(expected)} and is "
            f"{names(received)}.",
        )
    elif mistyped := count_cells(cells.feature)["mistyped"]:
        yield cells.report(
            Kind.TYPE_CHANGE,
            Severity.ERROR,
            f"The column {cells.expected.name!r} must be {names(expected)}; {mistyped:.0f} cells "
            "are not.",
            ids=[record_id for record_id, _ in told],
            figures={"cells": mistyped},
        )
    elif kind_in_schema(cells.expected) not in ("", kind_of(cells.feature)):
        yield cells.report(
            Kind.KIND_CHANGE,
            Severity.WARNING,
            f"The column {cells.expected.name!r} was taken for {kind_in_schema(cells.expected)!r} "
            f"and is now taken for {kind_of(cells.feature)!r}.",
        )


def _check_presence(cells: Cells) -> Iterator[Finding]:
    presence, name = cells.expected.presence, cells.expected.name
    counts = count_cells(cells.feature)
    rows, filled = sum(counts.values()), counts["filled"]
    if not rows or (not presence.min_count and not presence.min_fraction):
        return
    share = filled / rows
    if not filled:
        yield cells.report(
            Kind.EMPTY_COLUMN, Severity.ERROR, f"All cells of the column {name!r} are empty."
        )
    elif share < presence.min_fraction - 1e-9 or filled < presence.min_count:
        yield cells.report(
            Kind.LOW_PRESENCE,
            Severity.ERROR,
            f"{share:.1%} of the cells of the column {name!r} are filled ({filled:.0f} of "
            f"{rows:.0f}); {cells.source} asks for {presence.min_fraction:.1%} and for at least "
            f"{presence.min_count}.",
            figures={"share": share, "min_fraction": presence.min_fraction},
        )


def _check_broken(cells: Cells) -> Iterator[Finding]:
    counts = count_cells(cells.feature)
    broken, given = counts["broken"], counts["broken"] + counts["filled"]
    if not broken:
        return
    image = cells.expected.WhichOneof("domain_info") == "image_domain"
    domain = cells.expected.image_domain
    allowed = cells.max_broken
    if image and domain.HasField("minimum_supported_image_fraction"):
        allowed = 1 - domain.minimum_supported_image_fraction
    share = broken / given
    told = cells.records.get("broken", [])
    first = f", first {told[0][0]!r}: {told[0][1]}" if told else ""
    yield cells.report(
        Kind.BROKEN_PICTURES if image else Kind.BROKEN_CELLS,
        # The schema's share is a float32: 1 - 0.99 is less than 0.01 there.
        Severity.ERROR if share > allowed + 1e-6 else Severity.WARNING,
        f"{broken:.0f} of {given:.0f} {'pictures' if image else 'cells'} of the column "
        f"{cells.expected.name!r} cannot be read ({share:.1%}; at most {allowed:.1%} may be so)"
        f"{first}.",
        ids=[record_id for record_id, _ in told],
        figures={"broken": broken, "share": share, "max_broken": allowed},
    )


def _check_values(cells: Cells) -> Iterator[Finding]:
    domain = domain_of(cells.schema, cells.expected)
    values = read_measures(cells.feature).get("value")
    if domain is None or not isinstance(values, Values):
        return
    new = {value: count for value, count in values.counts.items() if value not in domain}
    mass = sum(new.values()) / values.rows if values.rows else 0.0
    constraints = cells.expected.distribution_constraints
    allowed = 1 - constraints.min_domain_mass if constraints.HasField("min_domain_mass") else 0.0
    if mass <= allowed:
        return
    ranked = sorted(new, key=lambda value: (-new[value], value))
    shown = ", ".join(f"{value!r} ({new[value]:.0f})" for value in ranked[:_NUM_VALUES])
    more = f" and {len(ranked) - _NUM_VALUES} more" if len(ranked) > _NUM_VALUES else ""
    label = kind_in_schema(cells.expected) in LABEL_KINDS
    first = cells.records.get("values", {})
    ids = [record_id for value in ranked for record_id in first.get(value, ())]
    yield cells.report(
        Kind.NEW_VALUE,
        Severity.ERROR if label else Severity.WARNING,
        f"The column {cells.expected.name!r} has values that {cells.source} does not know: "
        f"{shown}{more}.",
        ids=ids[:NUM_IDS],
        figures={"values": {value: new[value] for value in ranked[:NUM_IDS]}, "share": mass},
    )


def _check_range(cells: Cells) -> Iterator[Finding]:
    if cells.feature.WhichOneof("stats") != "num_stats":
        return
    stats, name = cells.feature.num_stats, cells.expected.name
    told = cells.expected.WhichOneof("domain_info")
    nan = sum(histogram.num_nan for histogram in stats.histograms[:1])
    endless = sum(stat.num for stat in cells.feature.custom_stats if stat.name == "infinite")
    if nan or endless:
        yield cells.report(
            Kind.NOT_A_NUMBER,
            Severity.ERROR,
            f"The column {name!r} has {nan + endless:.0f} values that are no finite number.",
        )
    if told not in ("float_domain", "int_domain") or not stats.common_stats.num_non_missing:
        return
    domain = getattr(cells.expected, told)
    for side, bound, extreme in (("lowest", "min", stats.min), ("highest", "max", stats.max)):
        if not domain.HasField(bound):
            continue
        limit = getattr(domain, bound)
        low = bound == "min"
        if extreme >= limit if low else extreme <= limit:
            continue
        ids = [
            record_id
            for record_id, value in cells.records.get(side, [])
            if (value < limit if low else value > limit)
        ]
        rows = _count_beyond(cells.feature, limit, low)
        yield cells.report(
            Kind.OUT_OF_RANGE,
            Severity.ERROR,
            f"The column {name!r} must be {'at least' if low else 'at most'} {limit:g}. "
            f"{'Some' if rows is None else format(rows, '.0f')} of its numbers are "
            f"{'below' if low else 'above'}; the {side} is {extreme:g}.",
            ids=ids,
            figures={"limit": limit, side: extreme, "rows": rows},
        )


def _count_beyond(feature: Any, limit: float, low: bool) -> float | None:
    """Returns how many numbers are wholly beyond a limit; at least one is."""
    values = read_measures(feature).get("value")
    if not isinstance(values, NumberValues):
        return None
    beyond = (
        count
        for lowest, highest, count in values.buckets()
        if (highest < limit if low else lowest > limit)
    )
    return max(1.0, sum(beyond))
