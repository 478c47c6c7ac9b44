"""Finds columns that give the label away."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from trainer.data.cells import as_text, parse_number
from trainer.data.columns import Column
from trainer.data.recognition import is_description, is_title, words_of
from trainer.data.table import Table

# Titles, descriptions and makers are evidence however well they tell the classes apart.
_EVIDENCE = frozenset({"brand", "manufacturer", "maker", "vendor", "seller"})
_MIN_ROWS = 20
_MIN_COVERAGE = 0.5
_MIN_CERTAINTY = 0.97
_MIN_PATHS = 0.8
_MAX_VALUES_PER_LABEL = 30
_MAX_WORDS = 5
_MAX_PATH = 300
_SEPARATORS = (re.compile(r"[>/|\\;»→]+|::"), re.compile(r"[>/|\\;»→,]+|::"))


def find_leaks(
    table: Table,
    columns: Mapping[str, Column],
    labels: Sequence[tuple[str, ...] | None],
) -> dict[str, str]:
    """Finds the text, category and number columns from which the label follows.

    Three signs are looked for: cells that are paths with the label in them;
    values that decide the label although few values belong to a label (a
    finer level, a code); and values that the label decides (a coarser level).
    Unique values decide nothing: every row is judged by the *other* rows with
    its value.

    Args:
        table: Table.
        columns: What `infer_columns` returns.
        labels: Label of every row, what `read_labels` returns.

    Returns:
        A sentence with the measured figure for each column that leaks.
    """
    rows = [row for row, label in enumerate(labels) if label is not None]
    paths = [label for label in labels if label is not None]
    leaks: dict[str, str] = {}
    for name, column in columns.items():
        if column.kind not in ("text", "category", "number") or not rows:
            continue
        cells = [as_text(cell) for cell in table.frame[name].iloc[rows]]
        if column.kind == "number" and not _are_codes(cells):
            continue
        reason = _path_reason(cells, paths)
        named = is_title(name) or is_description(name) or words_of(name) & _EVIDENCE
        if not reason and not named and _is_short(cells):
            reason = _level_reason(cells, paths)
        if reason:
            leaks[name] = reason
    return leaks


def _are_codes(cells: Sequence[str]) -> bool:
    """Says whether numbers may be codes: whole ones only."""
    numbers = [parse_number(cell) for cell in cells if cell]
    return all(n is None or math.isnan(n) or n % 1 == 0 for n in numbers)


def _is_short(cells: Sequence[str]) -> bool:
    filled = [cell for cell in cells if cell]
    return bool(filled) and sum(len(cell.split()) for cell in filled) <= _MAX_WORDS * len(filled)


def _fold(text: str) -> str:
    """Folds `Baby Care`, `baby-care` and `["Baby Care"]` together."""
    return " ".join(re.findall(r"[^\W_]+", text.lower()))


def _path_reason(cells: Sequence[str], paths: Sequence[tuple[str, ...]]) -> str:
    """Says so when most cells have the label as one of several parts."""
    folded = {path: {_fold(level) for level in path} - {""} for path in set(paths)}
    filled = found = 0
    for cell, path in zip(cells, paths, strict=True):
        filled += bool(cell)
        if len(cell) <= _MAX_PATH and _SEPARATORS[-1].search(cell):
            # Labels may have commas, and tags be separated by them.
            parts = {_fold(part) for pattern in _SEPARATORS for part in pattern.split(cell)}
            found += not parts.isdisjoint(folded[path])
    if filled < _MIN_ROWS or found < _MIN_PATHS * filled:
        return ""
    return f"It holds paths that contain the label, in {found / filled:.1%} of {filled} rows."


def _level_reason(cells: Sequence[str], paths: Sequence[tuple[str, ...]]) -> str:
    """Says so when the column decides a level of the label, or the label the column."""
    num_values = len(set(cells) - {""})
    for level in range(max(map(len, paths)), 0, -1):
        targets = [" > ".join(path[:level]) for path in paths]
        certainty, rows = _certainty(cells, targets)
        if certainty >= _MIN_CERTAINTY and _spread(targets, cells) <= _MAX_VALUES_PER_LABEL:
            return (
                f"Its value decides the label, right in {certainty:.1%} of {rows} rows when "
                f"guessed from other rows of the same value ({num_values} values)."
            )
    certainty, rows = _certainty([" > ".join(path) for path in paths], cells)
    if certainty >= _MIN_CERTAINTY:
        return (
            "It is another level of the taxonomy: it follows from the label in "
            f"{certainty:.1%} of {rows} rows ({num_values} values)."
        )
    return ""


def _certainty(keys: Sequence[str], targets: Sequence[str]) -> tuple[float, int]:
    """Measures how well the key of a row tells its target.

    Every row is guessed as most *other* rows with its key are, so that keys
    of one row tell nothing.

    Returns:
        `(certainty, rows)`: share of right guesses among the rows that could
        be guessed, and their number; certainty is 0 where these are too few
        or where always guessing the commonest target would do nearly as well.
    """
    table = pd.DataFrame({"key": list(keys), "target": list(targets)})
    table = table[(table["key"] != "") & (table["target"] != "")]
    counts = table.value_counts(["key", "target"]).rename("rows").reset_index()
    counts = counts[counts.groupby("key")["rows"].transform("sum") > 1]
    rows = int(counts["rows"].sum())
    if rows < max(_MIN_ROWS, _MIN_COVERAGE * len(keys)):
        return 0.0, rows
    counts = counts.sort_values(["key", "rows"], ascending=False)
    place = counts.groupby("key").cumcount()
    leaders = counts[place == 0].set_index("key")["rows"]
    seconds = counts[place == 1].set_index("key")["rows"].reindex(leaders.index, fill_value=0)
    # A row is guessed right when its target keeps the lead without the row itself.
    right = int(leaders[leaders - 1 > seconds].sum())
    commonest = counts.groupby("target")["rows"].sum().max() / rows
    certainty = right / rows
    # Goodman and Kruskal's lambda: what the key adds to knowing the commonest target.
    gain = (certainty - commonest) / (1 - commonest) if commonest < 1 else 0.0
    return (certainty if gain >= _MIN_CERTAINTY else 0.0), rows


def _spread(targets: Sequence[str], keys: Sequence[str]) -> float:
    """Returns how many keys a target has, effectively: the exponential of H(key | target)."""
    table = pd.DataFrame({"key": list(keys), "target": list(targets)})
    table = table[table["key"] != ""]
    joint = table.value_counts(["target", "key"])
    share = joint / joint.groupby(level="target").transform("sum")
    return float(np.exp(-(joint / joint.sum() * np.log(share)).sum()))
