"""Which files a table depends on: itself and the pictures that it names."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from itertools import islice
from pathlib import Path

import pandas as pd

from components.sources.open_source import open_source
from components.sources.source import Source
from components.sources.span_pattern import fill_span
from components.sources.table_files import TableFiles
from trainer.data.cells import as_text, is_empty
from trainer.data.pictures import SUFFIXES

_PICTURE = re.compile(rf".+(?:{'|'.join(map(re.escape, SUFFIXES))})", re.IGNORECASE | re.DOTALL)
_SAMPLE = 200
_AT_ONCE = 10_000


def files_read(
    table: str,
    span: int = 0,
    kinds: Mapping[str, str] | None = None,
    ignore: Collection[str] = (),
) -> list[Path]:
    """Returns the files of a table and of its pictures, whether they are there or not.

    Args:
        table: As for `open_source`.
        span: As for `open_source`.
        kinds: Kind of columns where it is given.
        ignore: Columns that are not read.
    """
    try:
        source = open_source(table, span)
        pictures = _pictures(source, kinds or {}, ignore) if isinstance(source, TableFiles) else []
        return [*source.files, *pictures]
    except (FileNotFoundError, ValueError):  # the executor says so
        return [Path(fill_span(table, span))]


def _pictures(source: Source, kinds: Mapping[str, str], ignore: Collection[str]) -> list[Path]:
    """Returns the files that the cells of picture columns name, each once, in order."""
    files: dict[Path, None] = {}
    columns: Sequence[str] | None = None
    for table in source.tables(_AT_ONCE):
        if columns is None:
            columns = [
                name
                for name in table.frame.columns
                if name not in ignore
                and _may_name_pictures(table.frame[name], kinds.get(name), table.folder)
            ]
        for name in columns:
            cells = table.frame[name]
            texts = (as_text(cell) for cell in cells if not isinstance(cell, bytes))
            files |= dict.fromkeys(_path(text, table.folder) for text in texts if text)
    return [path for path in files if _may_be_file(path)]


def _path(text: str, folder: Path) -> Path:
    """Returns the path that a cell names, as `trainer.data.pictures` finds it."""
    return folder / text.replace("\\", "/")


def _may_be_file(path: Path) -> bool:
    """Says whether a path is that of a file, or of none yet."""
    try:
        return not path.is_dir()
    except OSError:  # too long for a name, or in a folder that may not be read
        return False


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def _may_name_pictures(cells: pd.Series, kind: str | None, folder: Path) -> bool:
    """Says whether a column may be taken for one of pictures; one too many does no harm."""
    if kind is not None:
        return kind == "image"
    filled = (cell for cell in cells if not is_empty(cell))
    sample = [as_text(cell) for cell in islice(filled, _SAMPLE) if isinstance(cell, str)]
    found = sum(
        _PICTURE.fullmatch(text) is not None or _is_file(_path(text, folder)) for text in sample
    )
    return 2 * found > len(sample) > 0
