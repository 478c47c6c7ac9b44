"""What is found wrong with examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from tensorflow_metadata.proto.v0 import anomalies_pb2

NUM_IDS = 20
"""So many records are named at most."""


class Severity(StrEnum):
    """How bad it is."""

    ERROR = "error"
    WARNING = "warning"


class Kind(StrEnum):
    """What it is; the value is for machines."""

    MISSING_COLUMN = "missing_column"
    EMPTY_COLUMN = "empty_column"
    NEW_COLUMN = "new_column"
    TYPE_CHANGE = "type_change"
    KIND_CHANGE = "kind_change"
    LOW_PRESENCE = "low_presence"
    NEW_VALUE = "new_value"
    OUT_OF_RANGE = "out_of_range"
    NOT_A_NUMBER = "not_a_number"
    BROKEN_PICTURES = "broken_pictures"
    BROKEN_CELLS = "broken_cells"
    EMPTY_SPLIT = "empty_split"
    DRIFT = "drift"
    SKEW = "skew"
    SHARED_RECORDS = "shared_records"
    SIMILAR_RECORDS = "similar_records"


@dataclass(frozen=True)
class Finding:
    """Something wrong with a split, or with all of them together.

    Args:
        split: str. `""` for all.
        column: str. `""` where it is about the whole split.
        kind: What it is.
        severity: How bad it is.
        message: str. A sentence for people, which names what was expected and received.
        ids: Records that show it, some of them.
        figures: What was measured, for machines.
        measure: str. What of the column; `""` for the column itself.
    """

    split: str
    column: str
    kind: Kind
    severity: Severity
    message: str
    ids: Sequence[str] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)
    measure: str = ""

    @property
    def where(self) -> str:
        """The split in words."""
        return self.split or "all splits"


_TYPE = anomalies_pb2.AnomalyInfo.Type
REASONS = {
    Kind.MISSING_COLUMN: _TYPE.Value("SCHEMA_MISSING_COLUMN"),
    Kind.EMPTY_COLUMN: _TYPE.Value("FEATURE_TYPE_NOT_PRESENT"),
    Kind.NEW_COLUMN: _TYPE.Value("SCHEMA_NEW_COLUMN"),
    Kind.TYPE_CHANGE: _TYPE.Value("UNEXPECTED_DATA_TYPE"),
    Kind.KIND_CHANGE: _TYPE.Value("SEMANTIC_DOMAIN_UPDATE"),
    Kind.LOW_PRESENCE: _TYPE.Value("FEATURE_TYPE_LOW_FRACTION_PRESENT"),
    Kind.NEW_VALUE: _TYPE.Value("ENUM_TYPE_UNEXPECTED_STRING_VALUES"),
    Kind.NOT_A_NUMBER: _TYPE.Value("FLOAT_TYPE_HAS_NAN"),
    Kind.BROKEN_PICTURES: _TYPE.Value("LOW_SUPPORTED_IMAGE_FRACTION"),
    Kind.BROKEN_CELLS: _TYPE.Value("CUSTOM_VALIDATION"),
    Kind.EMPTY_SPLIT: _TYPE.Value("DATASET_LOW_NUM_EXAMPLES"),
    Kind.DRIFT: _TYPE.Value("COMPARATOR_L_INFTY_HIGH"),
    Kind.SKEW: _TYPE.Value("COMPARATOR_L_INFTY_HIGH"),
    Kind.SHARED_RECORDS: _TYPE.Value("CUSTOM_VALIDATION"),
    Kind.SIMILAR_RECORDS: _TYPE.Value("CUSTOM_VALIDATION"),
}
"""Types of tensorflow-metadata; that of a number out of range depends on the side."""
