"""Reads a table of products: CSV, Parquet or a pandas DataFrame."""

from __future__ import annotations

import csv
import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

import pandas as pd
from pyarrow import ArrowInvalid
from pyarrow.parquet import ParquetFile

from trainer.data.cells import parse_number

PROBLEMS_COLUMN = "taxofuse/problems"
"""What was wrong with the cells of a row before they came into this table: clauses that begin
with the column."""
_SEPARATORS = {".csv": ",", ".tsv": "\t"}
_PARQUET = (".parquet", ".pq")
# The csv module stops at 131,072 characters a cell; descriptions may be longer.
_MAX_CELL = 2**31 - 1
_LOOKS_LIKE_DATA = re.compile(r"\w+://|.*\.(?:jpe?g|png|gif|webp|tiff?|bmp)$", re.IGNORECASE)


@dataclass(frozen=True)
class Table:
    """A table and the folder from which its paths are relative.

    Args:
        frame: DataFrame with unique column names and a 0-based index. Cells
            of a CSV are `str`, `""` where missing; others keep their types.
        folder: Path.
    """

    frame: pd.DataFrame
    folder: Path


def read_table(source: str | Path | pd.DataFrame) -> Table:
    """Reads a table whole; one without rows is valid.

    Args:
        source: Path of a `.csv` (commas, UTF-8), `.tsv` or `.parquet` file, or
            a DataFrame. Paths in a DataFrame are relative to
            `frame.attrs["folder"]`, by default to the current folder.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it cannot be read without guessing; says where and why.
    """
    if isinstance(source, pd.DataFrame):
        return _from_frame(source)
    path = _check_path(source)
    if path.suffix.lower() in _SEPARATORS:
        (frame,) = _read_csv(path)
        return Table(frame, path.parent)
    return Table(_read_parquet(path), path.parent)


def iter_table(source: str | Path, rows: int) -> Iterator[Table]:
    """Reads a file as `read_table` does, but never holds more than some rows of it.

    Args:
        source: Path of a table.
        rows: int. Of each table that is yielded but the last. There is always one.

    Raises:
        FileNotFoundError, ValueError: as `read_table`.
    """
    path = _check_path(source)
    if path.suffix.lower() in _SEPARATORS:
        frames = _read_csv(path, rows)
    else:
        frames = _iter_parquet(path, rows)
    for frame in frames:
        yield Table(frame, path.parent)


def _check_path(source: str | Path) -> Path:
    path = Path(source).absolute()
    if not path.exists():
        raise FileNotFoundError(f"The table does not exist: {path}")
    if not path.is_file():
        raise ValueError(f"The table must be a file. Received a folder: {path}")
    if path.suffix.lower() in (*_SEPARATORS, *_PARQUET):
        return path
    raise ValueError(
        f"A table must be one of {[*_SEPARATORS, *_PARQUET]}. Received: {path}. "
        "Rename it if it is one of them, or save it as CSV."
    )


def _from_frame(frame: pd.DataFrame) -> Table:
    folder = Path(frame.attrs.get("folder", Path.cwd()))
    # A named index, such as `id`, is a column that somebody set as the index.
    named = [name for name in frame.index.names if name is not None]
    frame = frame.reset_index(drop=not named)
    return Table(_check_names(frame, "the DataFrame"), folder)


def _read_parquet(path: Path) -> pd.DataFrame:
    try:
        frame = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise ValueError(f"Not a readable Parquet file: {path} ({error})") from error
    return _check_names(frame.reset_index(drop=True), str(path))


def _iter_parquet(path: Path, rows: int) -> Iterator[pd.DataFrame]:
    try:
        with ParquetFile(path) as file:
            empty = [file.schema_arrow.empty_table()] * (file.metadata.num_rows == 0)
            for batch in chain(empty, file.iter_batches(rows)):
                frame = batch.to_pandas().reset_index(drop=True)
                yield _check_names(frame, str(path))
    except (OSError, ArrowInvalid) as error:
        raise ValueError(f"Not a readable Parquet file: {path} ({error})") from error


def _check_names(frame: pd.DataFrame, source: str) -> pd.DataFrame:
    names = [str(name).strip() for name in frame.columns]
    if not names:
        raise ValueError(f"A table needs columns; {source} has none.")
    doubled = [name for name, count in Counter(names).items() if count > 1]
    if doubled:
        raise ValueError(
            f"Column names must be unique. {source} has more than one {doubled}. "
            "Rename or remove the doubled ones."
        )
    frame = frame.copy(deep=False)
    frame.columns = pd.Index(names)
    return frame


def _read_csv(path: Path, size: int | None = None) -> Iterator[pd.DataFrame]:
    """Yields frames of `size` rows, or one of all; an empty table is one frame too."""
    records = _records(path, _SEPARATORS[path.suffix.lower()])
    try:
        header = _read_header(next(records, None), path)
        rows = _whole_rows(records, header, path)
        first = True
        while (some := [cells for _, cells in islice(rows, size)]) or first:
            columns = zip(*some, strict=True) if some else ([] for _ in header)
            cells = {name: list(column) for name, column in zip(header, columns, strict=True)}
            yield pd.DataFrame(cells, dtype=str)
            first = False
            if size is None:
                return
    except UnicodeDecodeError as error:
        raise ValueError(_encoding_message(path)) from error


def _records(path: Path, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yields `(number of the line where it ends, cells)` of each record."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=separator, strict=True)
        while True:
            # The limit is the whole process': nobody else meets it while this waits.
            limit = csv.field_size_limit(_MAX_CELL)
            try:
                cells = next(reader, None)
            except csv.Error as error:
                raise ValueError(
                    f"Broken CSV: {path}, line {reader.line_num}: {error}. "
                    'Quote cells with " and double every " inside them.'
                ) from error
            finally:
                csv.field_size_limit(limit)
            if cells is None:
                return
            yield reader.line_num, cells


def _read_header(record: tuple[int, list[str]] | None, path: Path) -> list[str]:
    cells = [name.strip() for name in record[1]] if record else []
    if not any(cells):
        raise ValueError(f"The first line must hold the column names; it is empty: {path}")
    if len(cells) == 1 and re.search(r"[;\t|]", cells[0]):
        raise ValueError(
            f"Cells must be separated by commas. The first line is {cells[0]!r}: {path}. "
            "Save it with commas, or as .tsv with tabs."
        )
    for cell in cells:
        number = parse_number(cell) if cell else None
        if _LOOKS_LIKE_DATA.match(cell) or (number is not None and not math.isnan(number)):
            raise ValueError(
                "The first line must hold the column names, but it looks like data: "
                f"it has a cell {cell[:80]!r}: {path}. Add a line with names."
            )
    # As pandas calls them; the usual one is a saved index.
    names = [name or f"Unnamed: {i}" for i, name in enumerate(cells)]
    return list(_check_names(pd.DataFrame(columns=names), str(path)).columns)


def _whole_rows(
    records: Iterator[tuple[int, list[str]]], header: list[str], path: Path
) -> Iterator[tuple[int, list[str]]]:
    for line, cells in records:
        if len(cells) == len(header):
            yield line, cells
        elif len(header) == 1 and not cells:
            yield line, [""]
        elif any(cell.strip() for cell in cells):
            raise ValueError(
                f"Every row needs as many cells as the header, {len(header)}. "
                f"Received {len(cells)} in line {line}: {path}. "
                "Quote cells that contain a comma."
            )


def _encoding_message(path: Path) -> str:
    data = path.read_bytes()
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        where = f"byte 0x{data[error.start]:02x} in line {line}"
    else:
        where = "it changed while it was read"
    return (
        f"A CSV must be UTF-8; {where} is not: {path}. Save it as UTF-8, for "
        "example with `iconv -f CP1252 -t UTF-8`, or in a spreadsheet as 'CSV UTF-8'."
    )
