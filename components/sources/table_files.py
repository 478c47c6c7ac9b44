"""Products of CSV, TSV and Parquet files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from components.sources.source import Source
from trainer.data.table import Table, iter_table, read_table

SUFFIXES = (".csv", ".tsv", ".parquet", ".pq")


class TableFiles(Source):
    """Rows of one file after the other.

    Args:
        paths: Files with the same columns, in one folder.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = [path.absolute() for path in paths]
        if len({path.parent for path in self._paths}) > 1:
            raise ValueError(
                "Tables that are read as one must stand in one folder, from which their paths of "
                f"pictures are relative. Received: {', '.join(map(str, self._paths))}."
            )

    @property
    def files(self) -> list[Path]:
        return list(self._paths)

    def tables(self, rows: int) -> Iterator[Table]:
        columns: list[str] | None = None
        for path in self._paths:
            for table in iter_table(path, rows):
                found = list(table.frame.columns)
                if columns is not None and found != columns:
                    raise ValueError(
                        "Tables that are read as one must have the same columns. "
                        f"{self._paths[0].name} has {columns}. Received: {path} with {found}."
                    )
                columns = found
                yield table

    def read(self) -> Table:
        return read_table(self._paths[0]) if len(self._paths) == 1 else super().read()
