"""Rows without a label, which training may learn from as well."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from trainer.data.cells import as_text, cell_content, is_empty
from trainer.data.duplicates import group_near_duplicates
from trainer.data.recognition import FILE_SUFFIXES
from trainer.data.table import Table, read_table
from trainer.inputs import InputSpec, columns_read


def read_unlabeled(path: str, inputs: Sequence[InputSpec]) -> Table:
    """Reads a table of rows without a label; its other columns do not matter.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it has no rows, or lacks a column that an input reads.
    """
    table = read_table(path)
    columns = columns_read(inputs)
    if missing := [name for name in columns if name not in table.frame.columns]:
        raise ValueError(
            f"data.unlabeled must have the columns that the model reads: {columns}. Received: "
            f"{path} without {missing}. Add them, empty where nothing is known, or leave them out "
            "of both tables with --ignore."
        )
    if table.frame.empty:
        raise ValueError(f"data.unlabeled must have rows. Received: {path}, which has none.")
    return table


def stack_tables(tables: Sequence[Table], inputs: Sequence[InputSpec]) -> Table:
    """Puts what the inputs read of several tables one under the other, with whole paths.

    Columns that a table does not have are empty there.
    """
    files = {name for spec in inputs if spec.kind in FILE_SUFFIXES for name in spec.columns}
    frames = []
    for table in tables:
        frame = table.frame.reindex(columns=columns_read(inputs)).astype(object)
        for name in files:
            frame[name] = [_whole_path(cell, table.folder) for cell in frame[name]]
        frames.append(frame)
    return Table(pd.concat(frames, ignore_index=True), Path())


def find_copies(labelled: Table, unlabeled: Table, inputs: Sequence[InputSpec]) -> np.ndarray:
    """Says which unlabeled rows are nearly or wholly the same as a labelled one: bool `(rows,)`."""
    both = stack_tables([labelled, unlabeled], inputs)
    groups = group_near_duplicates(both, inputs)
    # Too short a text says too little for near-duplicates, but not to be the very same.
    same = both.frame.map(cell_content).groupby(list(both.frame), sort=False).ngroup().to_numpy()
    start = len(labelled.frame)
    return np.any([np.isin(of[start:], of[:start]) for of in (groups, same)], axis=0)


def _whole_path(cell: object, folder: Path) -> object:
    if is_empty(cell) or isinstance(cell, (bytes, bytearray, memoryview)):
        return cell
    # Tables made on Windows have backslashes.
    return str(folder / as_text(cell).replace("\\", "/"))
