"""Where products come from: rows of cells, some at a time or all."""

from __future__ import annotations

import abc
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from trainer.data.table import Table

_COUNTED_AT_ONCE = 10_000


class Source(abc.ABC):
    """Rows in a fixed order."""

    @property
    @abc.abstractmethod
    def files(self) -> list[Path]:
        """Files and folders whose contents decide the rows; pictures that cells name aside."""

    @abc.abstractmethod
    def tables(self, rows: int) -> Iterator[Table]:
        """Yields tables of at most some rows, all with one folder, at least one.

        Raises:
            FileNotFoundError, ValueError: naming what cannot be read, and where.
        """

    def read(self) -> Table:
        """Returns all rows."""
        tables = list(self.tables(_COUNTED_AT_ONCE))
        frames = [table.frame for table in tables if len(table.frame)] or [tables[0].frame]
        return Table(pd.concat(frames, ignore_index=True), tables[0].folder)

    def count(self, limit: int) -> int:
        """Returns the number of rows, or one above the limit that is not all of them."""
        total = 0
        for table in self.tables(_COUNTED_AT_ONCE):
            total += len(table.frame)
            if total > limit:
                break
        return total
