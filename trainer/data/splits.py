"""Who trains, who chooses, who judges: stratified splits that keep groups together."""

from __future__ import annotations

import math
import warnings
from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence

import numpy as np

from trainer.data.cells import as_text

SPLITS = ("train", "eval", "test")
_ALIASES = {
    **{name: name for name in SPLITS},
    **dict.fromkeys(("validation", "valid", "val", "dev"), "eval"),
}
SPLIT_NAMES = frozenset(_ALIASES)
"""What a user's own split column may say, in lower case."""


def split_rows(
    labels: Sequence[Hashable | None],
    groups: Sequence[int] | np.ndarray,
    *,
    fractions: tuple[float, float, float] = (0.8, 0.1, 0.1),
    seed: int = 0,
) -> np.ndarray:
    """Assigns every row to a split.

    Classes are dealt out from the rarest to the most common, group by group,
    each group to the split that lacks most of the class. So every class has
    rows in train, a class of a few rows is all there, and the others keep
    their share everywhere.

    Args:
        labels: For each row its class, any hashable; `None`: not labelled.
        groups: int array `(rows,)`. Rows of one group stay together.
        fractions: Shares of train, eval and test; they sum to 1.
        seed: int. The same seed and rows give the same splits.

    Returns:
        Array `(rows,)` of str: `"train"`, `"eval"`, `"test"`, or `""` where
        the row has no label.

    Reference:
        Sechidis et al., 2011, "On the stratification of multi-label data",
        with groups in place of rows and classes in place of labels.
    """
    _check_fractions(fractions)
    if len(labels) != len(groups):
        raise ValueError(
            "`labels` and `groups` need one value a row. "
            f"Received: {len(labels)} labels, {len(groups)} groups."
        )
    members: dict[int, list[int]] = defaultdict(list)
    for row, (label, group) in enumerate(zip(labels, groups, strict=True)):
        if label is not None:
            members[int(group)].append(row)
    sizes = Counter(label for label in labels if label is not None)
    chosen = _deal(members, labels, sizes, fractions, np.random.default_rng(seed))
    splits = np.full(len(labels), "", dtype="<U5")
    for group, rows in members.items():
        splits[rows] = SPLITS[chosen[group]]
    return splits


def _deal(
    members: dict[int, list[int]],
    labels: Sequence[Hashable | None],
    sizes: Counter[Hashable],
    fractions: tuple[float, float, float],
    rng: np.random.Generator,
) -> dict[int, int]:
    """Returns the index of the split of every group."""
    counts = {group: Counter(labels[row] for row in rows) for group, rows in members.items()}
    holders: dict[Hashable, list[int]] = defaultdict(list)
    for group in members:
        for label in counts[group]:
            holders[label].append(group)
    lacking = {label: [size * share for share in fractions] for label, size in sizes.items()}
    lacking_rows = [sum(sizes.values()) * share for share in fractions]
    in_train: set[Hashable] = set()
    chosen: dict[int, int] = {}
    # `sorted` is stable: equal classes stay in order of appearance.
    for label in sorted(sizes, key=lambda name: sizes[name]):
        waiting = [group for group in holders[label] if group not in chosen]
        rng.shuffle(waiting)
        # Large groups first, while there is room for them.
        for group in sorted(waiting, key=lambda name: -len(members[name])):
            if label in in_train:
                need = lacking[label]
                split = max(
                    (i for i in range(len(SPLITS)) if fractions[i]),
                    key=lambda i: (round(need[i], 6), lacking_rows[i] / fractions[i]),
                )
            else:
                split = 0
            chosen[group] = split
            for name, count in counts[group].items():
                lacking[name][split] -= count
            lacking_rows[split] -= len(members[group])
            if split == 0:
                in_train.update(counts[group])
    return chosen


def _check_fractions(fractions: tuple[float, float, float]) -> None:
    valid = len(fractions) == len(SPLITS) and all(share >= 0 for share in fractions)
    if not valid or fractions[0] <= 0 or not math.isclose(sum(fractions), 1, abs_tol=1e-6):
        raise ValueError(
            "`fractions` must be three shares (train, eval, test) that sum to 1, "
            f"with some for train. Received: fractions={fractions}."
        )


def fold_rows(
    labels: Sequence[str], groups: Sequence[int] | np.ndarray, num_folds: int, seed: int = 0
) -> np.ndarray:
    """Assigns every row to a fold of a cross-validation.

    Args:
        labels: Class of each row.
        groups: int array `(rows,)`. Rows of one group stay together.
        num_folds: int.
        seed: int.

    Returns:
        Array `(rows,)` of `"fold0"`, `"fold1"`, ...

    Raises:
        ValueError: if there are fewer groups than folds, or no class has as
            many rows.
    """
    most = min(len(set(np.asarray(groups).tolist())), max(Counter(labels).values(), default=0))
    if most < num_folds:
        raise ValueError(
            f"At most {most} folds can be drawn from these rows: the largest class must have a row "
            f"in each, and near-duplicates stay together. Received: {num_folds} folds."
        )
    folds = np.empty(len(labels), "<U8")
    from sklearn.model_selection import StratifiedGroupKFold  # a second of start-up

    splitter = StratifiedGroupKFold(num_folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # That a class has fewer rows than there are folds is no mistake of the user's.
        warnings.simplefilter("ignore", UserWarning)
        for index, (_, rows) in enumerate(splitter.split(labels, labels, groups)):
            folds[rows] = f"fold{index}"
    return folds


def user_splits(values: Sequence[object]) -> np.ndarray:
    """Reads the user's own split column.

    Args:
        values: As for `read_splits`.

    Returns:
        Array `(rows,)` of `"train"`, `"eval"`, `"test"`.

    Raises:
        ValueError: as `read_splits`, or if no row is for training.
    """
    splits = read_splits(values)
    if len(splits) and "train" not in splits:
        raise ValueError(f"No row is for training. Received: {dict(Counter(splits.tolist()))}.")
    return splits


def read_splits(values: Sequence[object]) -> np.ndarray:
    """Reads some cells of the user's own split column.

    Args:
        values: The cells: `train`, `eval` (or `validation`, `valid`, `val`,
            `dev`) or `test`, in any case.

    Returns:
        Array `(rows,)` of `"train"`, `"eval"`, `"test"`.

    Raises:
        ValueError: if a cell is none of them, naming rows (0-based).
    """
    names = [as_text(value).lower() for value in values]
    wrong = [row for row, name in enumerate(names) if name not in _ALIASES]
    if wrong:
        shown = ", ".join(f"row {row}: {as_text(values[row])!r}" for row in wrong[:5])
        more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        raise ValueError(
            f"Unknown split. Expected one of {sorted(_ALIASES)}. Received: {shown}{more}."
        )
    return np.array([_ALIASES[name] for name in names], dtype="<U5")
