"""Groups rows that are nearly the same product, so that no split tears them apart."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from trainer.data.cells import as_text
from trainer.data.same_pictures import same_picture_pairs
from trainer.data.same_texts import same_text_pairs
from trainer.data.table import Table
from trainer.inputs import InputSpec


def group_near_duplicates(table: Table, inputs: Sequence[InputSpec]) -> np.ndarray:
    """Groups the rows that share a picture or nearly a text, directly or in a chain.

    What very many rows share, more than the root of their number and more
    than 10, is a placeholder or boilerplate and no evidence.

    Args:
        table: Table.
        inputs: Those of kind `image` and `text` are compared.

    Returns:
        int array `(rows,)`: group ids from 0, numbered by their first rows.
    """
    rows = len(table.frame)
    max_shared = max(10, math.isqrt(rows))
    known = set(table.frame.columns)
    links = [np.empty((0, 2), np.int64)]
    texts: list[list[str]] = []
    for spec in inputs:
        columns = [table.frame[name] for name in spec.columns if name in known]
        if spec.kind == "image":
            links += [same_picture_pairs(cells, table.folder, max_shared) for cells in columns]
        elif spec.kind == "text":
            texts += [[as_text(cell) for cell in cells] for cells in columns]
    if texts:
        links.append(same_text_pairs(texts, max_shared))
    i, j = np.concatenate(links).T
    graph = coo_matrix((np.ones(len(i)), (i, j)), shape=(rows, rows))
    groups: np.ndarray = connected_components(graph, directed=False)[1]
    return groups
