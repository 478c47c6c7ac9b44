"""Schemas in tensorflow-metadata's messages: read, checked, inferred from statistics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2

from trainer.files import write_text

FILE = "schema.pbtxt"
SERVING, TRAINING = "SERVING", "TRAINING"
"""Environments: what is to be answered has no label."""
_TYPES = {
    statistics_pb2.FeatureNameStatistics.INT: schema_pb2.INT,
    statistics_pb2.FeatureNameStatistics.FLOAT: schema_pb2.FLOAT,
    statistics_pb2.FeatureNameStatistics.STRING: schema_pb2.BYTES,
    statistics_pb2.FeatureNameStatistics.BYTES: schema_pb2.BYTES,
    statistics_pb2.FeatureNameStatistics.STRUCT: schema_pb2.STRUCT,
}


def schema_type(feature: Any) -> int:
    """Returns the type in schemas of a `FeatureNameStatistics`."""
    return _TYPES[feature.type]


def write_schema(folder: Path, schema: Any) -> None:
    """Writes `schema.pbtxt`."""
    write_text(folder / FILE, text_format.MessageToString(schema, as_utf8=True))


def read_schema(path: Path) -> Any:
    """Reads and checks a schema.

    Args:
        path: Of the file, or of the folder of an artifact.

    Raises:
        FileNotFoundError: naming the file.
        ValueError: naming what in the file does not fit.
    """
    file = path / FILE if path.is_dir() else path
    if not file.is_file():
        raise FileNotFoundError(f"No schema: {file.absolute()}")
    schema = schema_pb2.Schema()
    try:
        text_format.Parse(file.read_text(encoding="utf-8"), schema)
    except (text_format.ParseError, UnicodeDecodeError) as error:
        raise ValueError(f"{file} is no schema of tensorflow-metadata: {error}") from error
    try:
        check_schema(schema)
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error
    return schema


def check_schema(schema: Any) -> None:
    """Refuses a schema that contradicts itself.

    Raises:
        ValueError: naming the feature.
    """
    _check_unique("feature", [feature.name for feature in schema.feature])
    _check_unique("string_domain", [domain.name for domain in schema.string_domain])
    domains = {domain.name for domain in schema.string_domain}
    for feature in schema.feature:
        where = f"the feature {feature.name!r}"
        if feature.type == schema_pb2.TYPE_UNKNOWN:
            raise ValueError(f"{where} has no type. Expected one of BYTES, FLOAT, INT, STRUCT.")
        told = feature.WhichOneof("domain_info")
        if told == "domain" and feature.domain not in domains:
            raise ValueError(
                f"{where} has the domain {feature.domain!r}. Expected one of {sorted(domains)}."
            )
        wanted = {"float_domain": schema_pb2.FLOAT, "int_domain": schema_pb2.INT}.get(told)
        if wanted is not None and feature.type != wanted:
            raise ValueError(f"{where} has a {told}, but another type.")
        if told == "float_domain":
            domain = feature.float_domain
            if domain.HasField("min") and domain.HasField("max") and domain.min > domain.max:
                raise ValueError(
                    f"{where} must lie between {domain.min} and {domain.max}: nothing does."
                )
        if feature.HasField("presence") and not 0 <= feature.presence.min_fraction <= 1:
            raise ValueError(
                f"presence.min_fraction of {where} is a share. "
                f"Received: {feature.presence.min_fraction}."
            )


def domain_of(schema: Any, feature: Any) -> frozenset[str] | None:
    """Returns the values that a feature of a schema may have; `None` where any will do."""
    told = feature.WhichOneof("domain_info")
    if told == "string_domain":
        return frozenset(feature.string_domain.value)
    if told == "domain":
        named = {domain.name: domain.value for domain in schema.string_domain}
        return frozenset(named[feature.domain])
    return None


def is_expected(schema: Any, feature: Any, environment: str) -> bool:
    """Says whether examples of an environment have a feature.

    As TFX has it; but of a schema that names no environments, all features are expected.
    """
    if environment in feature.in_environment:
        return True
    if environment in feature.not_in_environment:
        return False
    return not schema.default_environment or environment in schema.default_environment


def kind_in_schema(feature: Any) -> str:
    """Returns the kind that `infer_schema` has noted; `""` where a schema says none."""
    return next(iter(feature.annotation.tag), "")


def by_name(schema: Any) -> dict[str, Any]:
    """Returns the features of a schema."""
    return {feature.name: feature for feature in schema.feature}


def _check_unique(what: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if not name:
            raise ValueError(f"every {what} needs a name.")
        if name in seen:
            raise ValueError(f"the {what} {name!r} is there twice.")
        seen.add(name)


def check_ranges(ranges: Mapping[str, Any]) -> None:
    """Refuses what is no range.

    Raises:
        ValueError: naming the column.
    """
    for name, bounds in ranges.items():
        known = isinstance(bounds, list | tuple) and len(bounds) == 2
        numbers = [bound for bound in bounds if bound is not None] if known else [""]
        if not all(isinstance(bound, int | float) for bound in numbers):
            raise ValueError(
                f"The range of a column is its lowest and highest value, or null. "
                f"Received: {name}={bounds!r}."
            )
        if len(numbers) == 2 and numbers[0] > numbers[1]:
            raise ValueError(f"The range of {name!r} ends before it begins: {bounds!r}.")
