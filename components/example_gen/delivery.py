"""One table on its way to examples: cut into parts, with what is known of its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from components.example_gen.component import Parameters
from components.example_gen.corrections import Corrections
from components.example_gen.decide import Decision
from components.parts import write_part
from components.sources.source import Source
from trainer.data.examples import row_ids
from trainer.data.labels import join_label, read_labels
from trainer.data.splits import SPLITS, read_splits
from trainer.data.table import Table


@dataclass
class Delivery:
    """Rows of one source.

    Args:
        folder: From which paths of pictures are relative.
        parts: Files of `components.parts`.
        sizes: Rows of each.
        ids: Of all rows.
        labels: Class of each row as the table says it, -1 for none.
        labelled: Whether it has a label once corrections are applied.
        splits: Split of each row, `""` for none yet.
        is_split: Whether the user has split the rows.
        num_groups: Groups of near-duplicates with more than one row.
    """

    folder: Path
    parts: list[Path]
    sizes: list[int]
    ids: np.ndarray
    labels: np.ndarray
    labelled: np.ndarray
    splits: np.ndarray
    is_split: bool
    num_groups: int = 0


def deliver(
    source: Source,
    decision: Decision,
    parameters: Parameters,
    corrections: Corrections,
    folder: Path,
    *,
    kinds: Mapping[str, str],
    first_row: int = 0,
    prefix: str = "",
    teaches: bool = True,
) -> Delivery:
    """Cuts a source into parts.

    Args:
        source: Rows.
        decision: On these rows.
        parameters: Of the component.
        corrections: Of labels.
        folder: For the parts.
        kinds: Of the columns that are written.
        first_row: Row number of the first.
        prefix: Stands before ids that are row numbers, which other sources have too.
        teaches: Whether the labels that the table has count.
    """
    classes: dict[str, int] = {}
    parts: list[_Part] = []
    row = 0
    for index, table in enumerate(source.tables(parameters.rows_per_shard)):
        given = _with_labels(table, parameters.label, teaches)
        ids = row_ids(given)
        if "id" not in given.frame.columns:
            ids = [f"{prefix}{row + place}" for place in range(len(ids))]
        corrected = corrections.apply(given, ids)
        path = folder / f"{index:06d}.parquet"
        write_part(path, corrected, kinds, ids, first_row + row)
        labels = _read_labels(given, parameters, row)
        after = labels if corrected is given else _read_labels(corrected, parameters, row)
        parts.append(
            _Part(
                path,
                np.array(ids, object),
                np.array(
                    [-1 if of is None else classes.setdefault(of, len(classes)) for of in labels],
                    np.int32,
                ),
                np.array([of is not None for of in after], bool),
                _told_splits(given, decision.split_column if teaches else "", labels, after),
            )
        )
        row += len(ids)
    splits = np.concatenate([part.splits for part in parts])
    if teaches and decision.split_column and SPLITS[0] not in splits:
        raise ValueError(f"No row is for training by the column {decision.split_column!r}.")
    if decision.splits is not None and decision.drawn:
        splits = decision.splits
    return Delivery(
        folder=table.folder,
        parts=[part.path for part in parts],
        sizes=[len(part.ids) for part in parts],
        ids=np.concatenate([part.ids for part in parts]),
        labels=np.concatenate([part.labels for part in parts]),
        labelled=np.concatenate([part.labelled for part in parts]),
        splits=splits,
        is_split=teaches and bool(decision.split_column),
    )


@dataclass(frozen=True)
class _Part:
    path: Path
    ids: np.ndarray
    labels: np.ndarray
    labelled: np.ndarray
    splits: np.ndarray


def _read_labels(table: Table, parameters: Parameters, first_row: int) -> list[str | None]:
    if not parameters.label:
        return [None] * len(table.frame)
    try:
        paths = read_labels(table, parameters.label, parameters.label_separator or None)
    except ValueError as error:
        raise ValueError(f"{error} (Rows are counted from row {first_row}.)") from error
    return [None if path is None else join_label(path) for path in paths]


def _with_labels(table: Table, label: Sequence[str], teaches: bool) -> Table:
    """Adds label columns that none of these rows has a cell of; all are empty if none counts.

    TFRecords have no columns: what none of some rows has, is not among them.
    """
    empty = [name for name in label if not teaches or name not in table.frame.columns]
    return Table(table.frame.assign(**dict.fromkeys(empty, "")), table.folder)


def _told_splits(
    table: Table, column: str, labels: Sequence[str | None], after: Sequence[str | None]
) -> np.ndarray:
    """Returns what the user's own column says of rows with a label, `""` of others."""
    splits = np.full(len(labels), "", "<U9")
    if column and column in table.frame.columns:
        both = zip(labels, after, strict=True)
        has = np.array([first or second for first, second in both], bool)
        splits[has] = read_splits(table.frame[column][has].tolist())
    return splits
