"""Which rows of a table a model has learned from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from trainer.data.cells import cell_content
from trainer.data.table import Table
from trainer.inputs import InputSpec, columns_read


def digest_rows(table: Table, inputs: Sequence[InputSpec]) -> np.ndarray:
    """Returns a hash of what the inputs read of each row, uint64 `(rows,)`.

    Pictures count by what the cell says, most often a path; a column that is
    missing counts as empty.
    """
    cells = table.frame.reindex(columns=columns_read(inputs)).astype(object).map(cell_content)
    rows = cells.agg(b"".join, axis=1) if len(cells) else pd.Series([], dtype=object)
    return pd.util.hash_array(rows.to_numpy(object))
