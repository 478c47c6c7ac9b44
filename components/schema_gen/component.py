"""SchemaGen: what examples have to be like."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from components.artifact import SCHEMA, STATISTICS
from components.component import Component, Input
from components.statistics.schema_rules import SchemaRules


@dataclass(frozen=True)
class Parameters(SchemaRules):
    """How a schema follows from statistics; see `SchemaRules`.

    Args:
        schema_file: A schema that a person has written or corrected; it is used as it is,
            and nothing is inferred.
    """

    schema_file: str = ""


def _reads(parameters: Parameters) -> list[Path]:
    return [Path(parameters.schema_file)] if parameters.schema_file else []


COMPONENT = Component(
    name="SchemaGen",
    package=__package__,
    inputs={"statistics": Input(STATISTICS)},
    outputs={"schema": SCHEMA},
    parameters=Parameters,
    reads=_reads,
)
