"""Writes what is wrong with examples."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from components.example_validator.comparison import Comparison, collect
from components.example_validator.component import Parameters
from components.example_validator.finding import Finding, Kind, Severity
from components.example_validator.page import write_anomalies_page
from components.example_validator.schema_checks import check_against_schema
from components.example_validator.shared_records import find_shared_records
from components.example_validator.written import write_anomalies, write_findings
from components.examples import UNLABELED
from components.statistics.contents import FILE, read_contents
from components.statistics.files import (
    read_new_statistics,
    read_records,
    read_statistics,
    split_folder,
)
from components.statistics.infer_schema import infer_schema
from components.statistics.schema_rules import SchemaRules
from components.statistics.schemas import SERVING, TRAINING, by_name, read_schema

_TRAIN = "train"


def execute(
    inputs: Mapping[str, Path | None],
    outputs: Mapping[str, Path],
    parameters: Parameters,
    scratch: Path,
) -> dict[str, dict[str, Any]]:
    """Writes `Split-*/SchemaDiff.pb`, `anomalies.json` and `anomalies.html`.

    Raises:
        ValueError: with what was found, where `fail_on` says so.
    """
    del scratch
    statistics, schema_folder, baseline = inputs["statistics"], inputs["schema"], inputs["baseline"]
    assert statistics is not None
    assert schema_folder is not None
    datasets, new = read_statistics(statistics), read_new_statistics(statistics)
    before = read_statistics(baseline) if baseline else {}
    schema = read_schema(schema_folder)
    found = [
        *check_rows(datasets, parameters),
        *check_columns(statistics, datasets, schema, before, parameters),
        *compare(new, before, schema, parameters),
        *check_shared(statistics, datasets, parameters),
    ]
    found.sort(key=lambda one: (one.severity != Severity.ERROR, list(Kind).index(one.kind)))
    folder = outputs["anomalies"]
    for split in dict.fromkeys([*datasets, *parameters.required_splits]):
        write_anomalies(folder, split, [one for one in found if one.split in (split, "")], schema)
    write_findings(folder / "anomalies.json", found)
    write_anomalies_page(folder / "anomalies.html", found, datasets, new, before)
    for one in found:
        print(f"{one.severity}: {one.where}: {one.message}", file=sys.stderr)
    grave = [one for one in found if one.severity in parameters.fail_on]
    if grave:
        raise ValueError(
            f"The examples have {len(grave)} anomalies with which the step is to fail (fail_on): "
            + " ".join(f"{one.where}: {one.message}" for one in grave[:5])
        )
    counts = {str(level): sum(one.severity == level for one in found) for level in Severity}
    drifted = sorted({one.column for one in found if one.kind == Kind.DRIFT})
    return {"anomalies": {**counts, "drifted": drifted}}


def check_rows(datasets: Mapping[str, Any], parameters: Parameters) -> Iterator[Finding]:
    """Yields the splits that are required and have no rows."""
    for split in parameters.required_splits:
        if split not in datasets or not datasets[split].num_examples:
            message = f"The split {split!r} has no rows."
            yield Finding(split, "", Kind.EMPTY_SPLIT, Severity.ERROR, message)


def check_columns(
    statistics: Path,
    datasets: Mapping[str, Any],
    schema: Any,
    before: Mapping[str, Any],
    parameters: Parameters,
) -> Iterator[Finding]:
    """Yields what does not fit the schema, or that of the baseline, each thing once."""
    schemas = {"the schema": schema}
    if before:
        rules = SchemaRules(splits=tuple(before))
        schemas["the span before"] = infer_schema(before, rules)
    for split, dataset in datasets.items():
        if not dataset.num_examples:
            continue
        records = read_records(statistics, split)
        environment = SERVING if split == UNLABELED else TRAINING
        told: set[tuple[str, Kind]] = set()
        for source, one in schemas.items():
            found = check_against_schema(
                split, dataset, records, one, environment, parameters.max_broken, source
            )
            new = [finding for finding in found if (finding.column, finding.kind) not in told]
            told |= {(finding.column, finding.kind) for finding in new}
            yield from new


def compare(
    datasets: Mapping[str, Any], before: Mapping[str, Any], schema: Any, parameters: Parameters
) -> Iterator[Finding]:
    """Yields drift from the baseline, and skew between the training split and the others.

    Args:
        datasets: As `read_new_statistics` returns them: old rows among the new ones would hide
            a change, and those of the baseline itself most of all.
        before: Those of the baseline, of all rows that a model has learned from.
        schema: With the comparators.
        parameters: Of the component.
    """
    features = by_name(schema)
    if before and any(dataset.num_examples for dataset in datasets.values()):
        drift = Comparison(
            Kind.DRIFT,
            "",
            "the rows before",
            "those now",
            {
                name: feature.drift_comparator
                for name, feature in features.items()
                if feature.HasField("drift_comparator")
            },
            parameters.min_drift,
            parameters.false_alarm_rate,
        )
        yield from drift.find(collect(before), collect(datasets))
    skewed = {
        name: feature.skew_comparator
        for name, feature in features.items()
        if feature.HasField("skew_comparator")
    }
    for split, dataset in datasets.items():
        if split == _TRAIN or not dataset.num_examples or _TRAIN not in datasets:
            continue
        skew = Comparison(
            Kind.SKEW,
            split,
            "train",
            split,
            skewed,
            parameters.min_skew,
            parameters.false_alarm_rate,
        )
        own, train = collect({split: dataset}), collect({_TRAIN: datasets[_TRAIN]})
        yield from skew.find(train, own)


def check_shared(
    statistics: Path, datasets: Mapping[str, Any], parameters: Parameters
) -> Iterator[Finding]:
    """Yields the records of labelled splits that are in the training split, too."""
    train = read_contents(split_folder(statistics, _TRAIN) / FILE)
    for split, dataset in datasets.items():
        if split not in (_TRAIN, UNLABELED) and dataset.num_examples:
            other = read_contents(split_folder(statistics, split) / FILE)
            yield from find_shared_records(
                split, train, other, dataset.num_examples, parameters.max_shared
            )
