"""Rows on their way from a table to examples: cells by kind, pictures still where they are.

A part is a Parquet file of some rows of the source. Whoever cuts a table into parts looks at
no picture; whoever makes examples of a part needs nothing but the part and its pictures.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from components.examples import ID, PROBLEMS, ROW, Example
from trainer.data.cells import as_text, is_empty
from trainer.data.table import Table
from trainer.files import new_file
from trainer.registry import MODALITIES

_READ_AT_ONCE = 64


def write_part(
    path: Path, table: Table, kinds: Mapping[str, str], ids: Sequence[str], first_row: int
) -> None:
    """Writes rows as a part.

    Args:
        path: Of the part.
        table: The rows.
        kinds: Kind by column, of the columns that are written. Those that the table does
            not have are empty.
        ids: One a row.
        first_row: Place of the first row in the source.
    """
    number = MODALITIES.get("number")()
    problems: list[list[str]] = [[] for _ in ids]
    cells: dict[str, Any] = {
        ID: pa.array(list(ids), pa.string()),
        ROW: pa.array(range(first_row, first_row + len(ids)), pa.int64()),
    }
    for name, kind in kinds.items():
        if name not in table.frame.columns:
            cells[name] = pa.nulls(len(ids), pa.string())
        elif kind == "number":
            read = [number.read([cell], table.folder) for cell in table.frame[name]]
            cells[name] = pa.array([value for value, _ in read], pa.float64(), from_pandas=True)
            for row, (_, problem) in enumerate(read):
                problems[row] += [f"{name}: {problem}"] if problem else []
        elif kind == "image":
            cells[name] = _pictures(table.frame[name])
        else:
            texts = (_text(cell, kind) for cell in table.frame[name])
            cells[name] = pa.array([text or None for text in texts], pa.string())
    cells[PROBLEMS] = pa.array(problems, pa.list_(pa.string()))
    with new_file(path) as temporary:
        pq.write_table(pa.table(cells), temporary)


def read_part(
    path: Path, kinds: Mapping[str, str], folder: Path, wanted: Sequence[bool] | None = None
) -> Iterator[Example]:
    """Yields rows of a part with their pictures.

    Args:
        path: Of the part.
        kinds: As it was written with.
        folder: From which the paths of pictures are relative.
        wanted: Whether a row is read, one a row of the part; all by default.
    """
    picture = MODALITIES.get("image")()
    count = 0
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(_READ_AT_ONCE):
            for row in batch.to_pylist():
                count += 1
                if wanted is not None and not wanted[count - 1]:
                    continue
                values: dict[str, bytes | float] = {}
                problems: list[str] = []
                for name, kind in kinds.items():
                    cell = row[name]
                    if kind == "image" and cell is not None:
                        cell, problem = picture.read([cell], folder)
                        problems += [f"{name}: {problem}"] if problem else []
                    if isinstance(cell, str):
                        cell = cell.encode()
                    if cell not in (None, b""):
                        values[name] = cell
                problems += row[PROBLEMS]
                yield Example(row[ID], row[ROW], values, tuple(problems))


def _pictures(cells: pd.Series) -> pa.Array:
    """Returns paths, or bytes where any cell has some."""
    if any(isinstance(cell, bytes) for cell in cells):
        given = (cell if isinstance(cell, bytes) else as_text(cell).encode() for cell in cells)
        return pa.array([cell or None for cell in given], pa.binary())
    return pa.array([as_text(cell) or None for cell in cells], pa.string())


def _text(cell: object, kind: str) -> str:
    if kind == "ignored" and isinstance(cell, bytes) and not is_empty(cell):
        try:
            return cell.decode("utf-8").strip()
        except UnicodeDecodeError:  # a sound, say: no text, and of no use to anybody
            return ""
    # A lone surrogate cannot be written as UTF-8.
    return as_text(cell).encode("utf-8", errors="replace").decode()
