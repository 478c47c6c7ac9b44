"""Splits of many rows: each class and each group dealt out at once."""

from __future__ import annotations

import numpy as np

from trainer.data.splits import SPLITS


def deal_groups(
    labels: np.ndarray, groups: np.ndarray, fractions: tuple[float, float, float], seed: int
) -> np.ndarray:
    """Assigns every labelled row to a split, as `trainer.data.splits.split_rows` does.

    A group counts as one of the class of its first row. The groups of a class stand in a random
    order around a circle, as long as they have rows, which is divided into the splits; so each
    class keeps its shares as nearly as its groups allow, and many small ones keep them together.
    In arrays: ten million rows take seconds.

    Args:
        labels: int array `(rows,)`, -1 where there is none.
        groups: int array `(rows,)`. Rows of one group stay together.
        fractions: Shares of train, eval and test; they sum to 1.
        seed: int.

    Returns:
        Array `(rows,)` of str, `""` where the row has no label. Every class has rows in train.
    """
    splits = np.full(len(labels), "", "<U5")
    rows = np.flatnonzero(labels >= 0)
    if not len(rows):
        return splits
    rng = np.random.default_rng(seed)
    _, first, group_of = np.unique(groups[rows], return_index=True, return_inverse=True)
    sizes = np.bincount(group_of)
    classes = labels[rows][first]
    order = np.lexsort([rng.random(len(sizes)), classes])
    starts = np.flatnonzero(np.diff(classes[order], prepend=-1))
    index = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(order)))
    ends = np.cumsum(sizes[order])
    before = np.concatenate([[0], ends])[starts]
    totals = np.add.reduceat(sizes[order], starts)
    middle = (ends - sizes[order] / 2 - before[index]) / totals[index]
    place = (middle + rng.random(len(starts))[index]) % 1
    chosen = np.empty(len(sizes), np.int64)
    chosen[order] = np.searchsorted(np.cumsum(fractions)[:2], place, side="right")
    # Classes that the circle left without rows to learn from get the largest of their groups.
    own = labels[rows]
    taught = np.zeros(own.max() + 1, bool)
    taught[own[chosen[group_of] == 0]] = True
    left = np.flatnonzero(~taught[own])
    left = left[np.lexsort([-sizes[group_of[left]], own[left]])]
    chosen[group_of[left[np.unique(own[left], return_index=True)[1]]]] = 0
    splits[rows] = np.array(SPLITS)[chosen][group_of]
    return splits
