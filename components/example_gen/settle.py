"""What one product was used for, it and its near-duplicates are used for again."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from trainer.data.splits import SPLITS

_UNKNOWN = -1


def keep_known(groups: np.ndarray, splits: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Gives rows the split of the known rows of their group.

    Where those are of several, test wins over eval and eval over train: nothing is learned that
    was held out.

    Args:
        groups: int array `(rows,)`.
        splits: `(rows,)`, `train`, `eval` or `test`; of rows that are not known as it is to be
            where their group has no known row.
        known: bool array `(rows,)`.

    Returns:
        The splits `(rows,)`, those of known rows as they were.
    """
    ranks = _most_held_out(groups, splits, known)[groups]
    found = np.array([*SPLITS, ""])[ranks]
    return np.where(known | (ranks == _UNKNOWN), splits, found)


def rehearsable(groups: np.ndarray, splits: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Says which training rows may be learned again beside newer ones: bool `(rows,)`.

    Args:
        groups: int array `(rows,)`.
        splits: `(rows,)`.
        ids: `(rows,)`, of the oldest first. Of one id only the newest row counts.
    """
    held_out = _most_held_out(groups, splits, np.ones(len(splits), bool)) > 0
    newest = ~pd.Series(ids).duplicated(keep="last").to_numpy()
    return (splits == SPLITS[0]) & ~held_out[groups] & newest


def join_by_id(groups: np.ndarray, ids: np.ndarray) -> np.ndarray:
    """Puts the groups that share an id into one."""
    codes = pd.factorize(ids)[0]
    rows = len(groups)
    size = int(groups.max(initial=-1)) + 1 + int(codes.max(initial=-1)) + 1
    graph = coo_matrix(
        (np.ones(rows, np.int8), (groups, groups.max(initial=-1) + 1 + codes)), shape=(size, size)
    )
    joined: np.ndarray = connected_components(graph, directed=False)[1][groups]
    return joined


def _most_held_out(groups: np.ndarray, splits: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Returns the highest rank among the known rows of each group, -1 where there are none."""
    ranks = np.full(len(splits), _UNKNOWN)
    for rank, split in enumerate(SPLITS):
        ranks[splits == split] = rank
    found = np.full(int(groups.max(initial=-1)) + 1, _UNKNOWN)
    np.maximum.at(found, groups[known], ranks[known])
    return found
