"""The label of a row: its path in the taxonomy, from the top down."""

from __future__ import annotations

from collections.abc import Sequence

from trainer.data.cells import as_text
from trainer.data.table import Table
from trainer.registry import unknown

LABEL_SEPARATOR = " > "


def read_labels(
    table: Table, label_columns: Sequence[str], separator: str | None = None
) -> list[tuple[str, ...] | None]:
    """Reads the label of every row.

    Args:
        table: Table.
        label_columns: Names of the columns that hold the levels, top-down.
        separator: str or `None`. Splits the one column of paths into levels;
            blanks around it do not matter. By default a column is one level.

    Returns:
        For each row the labels of its levels, or `None` where any of them is
        blank: half a path names no class.

    Raises:
        ValueError: if a column is unknown or a label of a level contains
            `" > "`, which is kept for joining levels.
    """
    if not label_columns:
        raise ValueError("At least one label column is needed. Received: label_columns=[].")
    for name in label_columns:
        if name not in table.frame.columns:
            raise ValueError(unknown("label column", name, table.frame.columns))
    if separator is not None and (not separator.strip() or len(label_columns) > 1):
        raise ValueError(
            "`separator` splits one column of paths and must not be blank. "
            f"Received: separator={separator!r}, label_columns={list(label_columns)}."
        )
    columns = [[_level(cell) for cell in table.frame[name]] for name in label_columns]
    paths = list(zip(*columns, strict=True))
    if separator is not None:
        paths = [_split_path(path[0], separator.strip()) for path in paths]
    # One column without a separator is flat: its labels may look like paths.
    if separator is not None or len(label_columns) > 1:
        _check_separator(paths)
    return [path if path and all(path) else None for path in paths]


def join_label(path: Sequence[str]) -> str:
    """Returns a path as one string, `"Baby Care > Infant Wear"`."""
    return LABEL_SEPARATOR.join(path)


def split_label(text: str) -> tuple[str, ...]:
    """Returns the path that `join_label` joined (of a taxonomy with levels)."""
    return tuple(text.split(LABEL_SEPARATOR))


def is_within(label: str, node: str) -> bool:
    """Says whether a joined path is a node of the taxonomy or below it."""
    return label == node or label.startswith(node + LABEL_SEPARATOR)


def _level(cell: object) -> str:
    text = as_text(cell)
    return "" if text.lower() in ("nan", "<na>") else text


def _split_path(text: str, separator: str) -> tuple[str, ...]:
    parts = [part.strip() for part in text.split(separator)]
    while parts and not parts[0]:
        parts.pop(0)
    while parts and not parts[-1]:
        parts.pop()
    return tuple(parts)


def _check_separator(paths: Sequence[tuple[str, ...]]) -> None:
    for row, path in enumerate(paths):
        for label in path:
            if LABEL_SEPARATOR in label:
                raise ValueError(
                    f"The label of a level must not contain {LABEL_SEPARATOR!r}, which joins "
                    f"levels. Received: {label!r} in row {row}. Give the column of paths alone, "
                    f"with the label separator {LABEL_SEPARATOR!r}, or leave it out."
                )
