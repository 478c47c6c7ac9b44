"""Writes the schema that statistics ask for, or the one that was given."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.schema_gen.component import Parameters
from components.statistics.files import read_statistics
from components.statistics.infer_schema import infer_schema
from components.statistics.schemas import FILE, read_schema, write_schema
from trainer.files import write_text


def execute(
    inputs: Mapping[str, Path],
    outputs: Mapping[str, Path],
    parameters: Parameters,
    scratch: Path,
) -> dict[str, dict[str, Any]]:
    """Writes `schema.pbtxt`."""
    del scratch
    if parameters.schema_file:
        given = Path(parameters.schema_file)
        schema = read_schema(given)
        # With the comments of whoever wrote it.
        write_text(outputs["schema"] / FILE, given.read_text(encoding="utf-8"))
    else:
        schema = infer_schema(read_statistics(inputs["statistics"]), parameters)
        write_schema(outputs["schema"], schema)
    return {"schema": {"features": len(schema.feature)}}
