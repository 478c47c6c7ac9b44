"""Writes findings for machines: as JSON, and in tensorflow-metadata's messages."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tensorflow_metadata.proto.v0 import anomalies_pb2

from components.example_validator.finding import REASONS, Finding, Kind, Severity
from components.statistics.files import split_folder
from trainer.files import new_file, write_json

SCHEMA_DIFF = "SchemaDiff.pb"
_PLAIN_STEP = re.compile(r"\([^()]*\)|[^().']+", re.DOTALL)
_INFO = anomalies_pb2.AnomalyInfo
_SEVERITIES = {Severity.ERROR: _INFO.ERROR, Severity.WARNING: _INFO.WARNING}
_SHORT = {
    Kind.MISSING_COLUMN: "Column missing",
    Kind.EMPTY_COLUMN: "Column without values",
    Kind.NEW_COLUMN: "New column",
    Kind.TYPE_CHANGE: "Unexpected type",
    Kind.KIND_CHANGE: "Column is taken for another kind",
    Kind.LOW_PRESENCE: "Too many cells without a value",
    Kind.NEW_VALUE: "Unexpected values",
    Kind.OUT_OF_RANGE: "Out of range",
    Kind.NOT_A_NUMBER: "Not a finite number",
    Kind.BROKEN_PICTURES: "Broken pictures",
    Kind.BROKEN_CELLS: "Unreadable cells",
    Kind.EMPTY_SPLIT: "No rows",
    Kind.DRIFT: "Drift from the span before",
    Kind.SKEW: "Skew between splits",
    Kind.SHARED_RECORDS: "Records shared with train",
    Kind.SIMILAR_RECORDS: "Records like those of train",
}


def short_name(kind: Kind) -> str:
    """Returns a few words for a kind of finding."""
    return _SHORT[kind]


def write_findings(path: Path, found: Sequence[Finding]) -> None:
    """Writes all findings as JSON, the gravest first."""
    write_json(path, {"anomalies": [dataclasses.asdict(one) for one in found]})


def write_anomalies(folder: Path, split: str, found: Sequence[Finding], schema: Any) -> None:
    """Writes the findings of a split as `Anomalies`.

    Args:
        folder: Of the artifact.
        split: str.
        found: Of this split, and of all together.
        schema: `Schema` that it was compared with.
    """
    anomalies = anomalies_pb2.Anomalies(anomaly_name_format=anomalies_pb2.Anomalies.SERIALIZED_PATH)
    anomalies.baseline.CopyFrom(schema)
    for one in found:
        if one.column:
            info = anomalies.anomaly_info[_serialize(one.column)]
            info.path.step[:] = [one.column]
        else:
            info = anomalies.dataset_anomaly_info
        _add(info, one)
        if one.kind in (Kind.DRIFT, Kind.SKEW):
            _add_measurement(anomalies, one)
    with new_file(split_folder(folder, split) / SCHEMA_DIFF) as temporary:
        temporary.write_bytes(anomalies.SerializeToString(deterministic=True))


def _serialize(column: str) -> str:
    """Returns the path of a column as TensorFlow Data Validation serializes it."""
    if _PLAIN_STEP.fullmatch(column):
        return column
    return "'" + column.replace("'", "''") + "'"


def _add(info: Any, one: Finding) -> None:
    """Adds a reason; the info of several has the gravest severity and tells them all."""
    info.severity = max(info.severity, _SEVERITIES[one.severity])
    kind = REASONS.get(one.kind) or _range_type(one)
    info.reason.add(type=kind, short_description=_SHORT[one.kind], description=one.message)
    several = len(info.reason) > 1
    info.short_description = "Multiple errors" if several else _SHORT[one.kind]
    info.description = " ".join(reason.description for reason in info.reason)


def _range_type(one: Finding) -> int:
    side = "SMALL" if "lowest" in one.figures else "BIG"
    return _INFO.Type.Value(f"FLOAT_TYPE_{side}_FLOAT")


def _add_measurement(anomalies: Any, one: Finding) -> None:
    info = anomalies.drift_skew_info.add()
    info.path.step.append(one.column)
    measurements = info.drift_measurements if one.kind == Kind.DRIFT else info.skew_measurements
    measurements.add(
        type=anomalies_pb2.DriftSkewInfo.Measurement.L_INFTY,
        value=abs(one.figures["now"] - one.figures["before"]),
        threshold=one.figures["min_size"],
    )
