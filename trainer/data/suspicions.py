"""What becomes of training rows whose label is probably wrong."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np
import pandas as pd

from trainer.registry import unknown

NO_SPLIT = ""
"""Split of rows that are not used."""

_COLUMNS = ("id", "label", "suspicious")
_SAYS = {"drop": "label", "relabel": "suggested_label", "downweight": "label_quality"}
"""By what becomes of a row, the column that says how."""
_FLAGS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False, "": False}


def read_suspicions(path: str | Path, wrong_labels: str) -> dict[tuple[str, str], str]:
    """Reads what `taxofuse clean` wrote, or a person corrected since.

    Args:
        path: CSV with at least the columns `id`, `label` and `suspicious` (true
            or false), and the one that `wrong_labels` needs.
        wrong_labels: `"drop"`; `"relabel"`, which needs `suggested_label`; or
            `"downweight"`, which needs `label_quality`.

    Returns:
        Id and label of suspicious rows to the cell of that column.

    Raises:
        FileNotFoundError: naming the file.
        ValueError: if a column is missing, or a cell of `suspicious` says
            neither yes nor no.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"data.suspicious: no such file: {path}")
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    for name in (*_COLUMNS, _SAYS[wrong_labels]):
        if name not in frame.columns:
            raise ValueError(f"data.suspicious, {path}: {unknown('column', name, frame.columns)}")
    flags = frame["suspicious"].str.strip().str.lower()
    wrong = frame[~flags.isin(_FLAGS)]
    if len(wrong):
        first = wrong.iloc[0]
        what = f"value of `suspicious` for id {first['id']!r} in {path}"
        raise ValueError(unknown(what, first["suspicious"], _FLAGS))
    frame = frame[flags.map(_FLAGS).astype(bool)]
    keys = zip(frame["id"], frame["label"], strict=True)
    return dict(zip(keys, frame[_SAYS[wrong_labels]], strict=True))


def settle_suspicions(
    suspicions: dict[tuple[str, str], str],
    wrong_labels: str,
    ids: list[str],
    labels: list[str],
    splits: np.ndarray,
    class_names: Collection[str],
) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Leaves suspicious training rows out, relabels them, or lets them count less.

    Args:
        suspicions: What `read_suspicions` returned.
        wrong_labels: As it was read for.
        ids: One a row; rows of one id and label are one to it.
        labels: One a row.
        splits: `(rows,)`.
        class_names: All labels that there are.

    Returns:
        `(labels, splits, weights)`; rows left out are in `NO_SPLIT`, and
        weights `(rows,)` are 1 but for those that count less.

    Raises:
        ValueError: if none of the suspicious rows is in the table (they are
            of another one), all rows for training would be left out, a label
            suggested is no class, or a quality is no share.
    """
    keys = list(zip(ids, labels, strict=True))
    if suspicions and not set(suspicions) & set(keys):
        row_id, label = next(iter(suspicions))
        raise ValueError(
            "data.suspicious names no row of this table by its id and label. "
            f"First: id {row_id!r} with label {label!r}. Run `taxofuse clean` on this table, with "
            "the same --label."
        )
    training = np.flatnonzero(splits == "train")
    found = {int(row): suspicions[keys[row]] for row in training if keys[row] in suspicions}
    weights = np.ones(len(ids), np.float32)
    if wrong_labels == "drop":
        if len(found) == len(training):
            raise ValueError(
                f"data.suspicious leaves no row to train on: all {len(training)} are suspicious."
            )
        splits = splits.copy()
        splits[list(found)] = NO_SPLIT
        return labels, splits, weights
    if wrong_labels == "downweight":
        for row, quality in found.items():
            weights[row] = _read_quality(quality, ids[row])
        return labels, splits, weights
    for row, suggested in found.items():
        if suggested not in class_names:
            what = f"label suggested for id {ids[row]!r}"
            raise ValueError(unknown(what, suggested, class_names))
    return [found.get(row, label) for row, label in enumerate(labels)], splits, weights


def _read_quality(cell: str, row_id: str) -> float:
    try:
        quality = float(cell)
    except ValueError:
        quality = np.nan
    if not 0 <= quality <= 1:
        raise ValueError(
            f"label_quality of id {row_id!r} must be a number from 0 to 1. Received: {cell!r}."
        )
    return quality
