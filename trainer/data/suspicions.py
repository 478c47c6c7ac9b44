"""What becomes of training rows whose label is probably wrong."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np
import pandas as pd

from trainer.registry import unknown

NO_SPLIT = ""
"""Split of rows that are not used."""

_COLUMNS = ("id", "label", "suspicious", "suggested_label")
_FLAGS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False, "": False}


def read_suspicions(path: str | Path) -> dict[tuple[str, str], str]:
    """Reads what `taxofuse clean` wrote, or a person corrected since.

    Args:
        path: CSV with at least the columns `id`, `label`, `suspicious` (true or
            false) and `suggested_label`.

    Returns:
        Id and label to suggested label, of suspicious rows.

    Raises:
        FileNotFoundError: naming the file.
        ValueError: if a column is missing, or a cell of `suspicious` says
            neither yes nor no.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"data.suspicious: no such file: {path}")
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    for name in _COLUMNS:
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
    return dict(zip(keys, frame["suggested_label"], strict=True))


def settle_suspicions(
    suspicions: dict[tuple[str, str], str],
    wrong_labels: str,
    ids: list[str],
    labels: list[str],
    splits: np.ndarray,
    class_names: Collection[str],
) -> tuple[list[str], np.ndarray]:
    """Leaves suspicious training rows out, or gives them the label suggested.

    Args:
        suspicions: What `read_suspicions` returned.
        wrong_labels: `"drop"` or `"relabel"`.
        ids: One a row; rows of one id and label are one to it.
        labels: One a row.
        splits: `(rows,)`.
        class_names: All labels that there are.

    Returns:
        `(labels, splits)`; rows left out are in `NO_SPLIT`.

    Raises:
        ValueError: if none of the suspicious rows is in the table (they are
            of another one), all rows for training are suspicious, or a label
            suggested is no class.
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
    if len(found) == len(training):
        raise ValueError(
            f"data.suspicious leaves no row to train on: all {len(training)} are suspicious."
        )
    if wrong_labels == "drop":
        splits = splits.copy()
        splits[list(found)] = NO_SPLIT
        return labels, splits
    for row, suggested in found.items():
        if suggested not in class_names:
            what = f"label suggested for id {ids[row]!r}"
            raise ValueError(unknown(what, suggested, class_names))
    return [found.get(row, label) for row, label in enumerate(labels)], splits
