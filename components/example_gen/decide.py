"""What the columns of a table are, and where it is not too large, the splits of its rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from components.example_gen.component import Parameters
from components.sources.source import Source
from trainer.catalogue import decide_columns, load_catalogue
from trainer.config import DataConfig
from trainer.data.columns import Column, infer_columns
from trainer.data.labels import read_labels
from trainer.data.table import Table

_SAMPLE = 10_000
"""Rows by which the columns of a larger table are judged."""


@dataclass(frozen=True)
class Decision:
    """What the columns of a table are, and where it was small enough, its splits.

    Args:
        columns: In the order of the table.
        splits: Of all rows, `""` where there is no label; `None` where they are yet to be drawn.
        leaks: Columns left out because they give the label away, and why.
        num_groups: Groups of near-duplicates with more than one row.
        drawn: Whether splits are drawn, by nobody's own column.
    """

    columns: tuple[Column, ...]
    splits: np.ndarray | None
    leaks: Mapping[str, str]
    num_groups: int = 0
    drawn: bool = True

    @property
    def kinds(self) -> dict[str, str]:
        """Kind of each column."""
        return {column.name: column.kind for column in self.columns}

    @property
    def split_column(self) -> str:
        """Column by which the user has split the rows; empty where there is none."""
        return _split_column(self.columns)


def decide(source: Source, parameters: Parameters, say: Callable[[str], None]) -> Decision:
    """Decides on columns and splits, as `taxofuse run` does if the table is not too large.

    Raises:
        ValueError: as `load_catalogue`.
    """
    config = parameters.data_config()
    if source.count(parameters.exact_rows) <= parameters.exact_rows:
        return _decide_exactly(source.read(), config, parameters.auxiliary, say)
    sample = sample_rows(source, _SAMPLE)
    say(f"  (judged by {len(sample.frame)} rows)")
    columns, leaks = _columns(sample, config, parameters.auxiliary, say)
    return Decision(columns, None, leaks, drawn=not _split_column(columns))


def _decide_exactly(
    table: Table, config: DataConfig, auxiliary: Sequence[str], say: Callable[[str], None]
) -> Decision:
    splits = np.full(len(table.frame), "", "<U9")
    if not config.label:
        columns, leaks = _columns(table, config, auxiliary, say)
        return Decision(columns, splits, leaks)
    frame = table.frame.copy(deep=False)
    frame.attrs["folder"] = table.folder
    catalogue = load_catalogue(frame, config, say, auxiliary=auxiliary)
    paths = read_labels(table, config.label, config.label_separator or None)
    splits[[path is not None for path in paths]] = catalogue.splits
    columns = tuple(catalogue.columns.values())
    return Decision(
        columns, splits, catalogue.leaks, catalogue.num_groups, not _split_column(columns)
    )


def _columns(
    table: Table, config: DataConfig, auxiliary: Sequence[str], say: Callable[[str], None]
) -> tuple[tuple[Column, ...], Mapping[str, str]]:
    if config.label:
        columns, leaks, _ = decide_columns(table, config, say, auxiliary)
        return tuple(columns.values()), leaks
    found = infer_columns(
        table,
        labels=(),
        auxiliary=auxiliary,
        ignore=config.ignore,
        overrides=config.columns,
        split_column=config.split or None,
    )
    return tuple(found.values()), {}


def sample_rows(source: Source, size: int) -> Table:
    """Returns every n-th row, `size` at most and half as many at least where there are as many."""
    step, first, count = 1, 0, 0
    frames: list[pd.DataFrame] = []
    for table in source.tables(size):
        frame = table.frame
        frame.index = pd.RangeIndex(first, first + len(frame))
        first += len(frame)
        frames.append(frame[frame.index % step == 0])
        count += len(frames[-1])
        while count > size:
            step *= 2
            frames = [frame[frame.index % step == 0] for frame in frames]
            count = sum(map(len, frames))
        folder = table.folder
    return Table(pd.concat(frames, ignore_index=True), folder)


def _split_column(columns: Sequence[Column]) -> str:
    return next((column.name for column in columns if column.kind == "split"), "")
