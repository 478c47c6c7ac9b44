"""Statistics of a split, gathered shard by shard."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from components.examples import Example, read_shard
from components.statistics.column_summary import ColumnSummary
from components.statistics.contents import Contents
from components.statistics.numbers_by_label import NumbersByLabel
from components.statistics.picture_column import PictureColumn
from components.statistics.text_measures import hash_texts
from trainer.data.columns import Column
from trainer.data.labels import join_label

PATH = "taxofuse/label"
"""Joined label path of a taxonomy with levels, beside the columns of its levels."""
DERIVER = "taxofuse label path"
TEXTS, FILE, LOOK = "texts", "file", "look"
"""What is hashed of records: words, and of each column of pictures the file and its look."""


class SplitSummary:
    """What is known of some products; any split of them merges to the same.

    Args:
        columns: Of the examples.
        label: Columns of the label, from the top down.
    """

    def __init__(self, columns: Sequence[Column], label: Sequence[str]) -> None:
        self.rows = 0
        self._label = tuple(label)
        self._columns = {column.name: ColumnSummary(column.name, column.kind) for column in columns}
        self._paths = ColumnSummary(PATH, "label") if len(label) > 1 else None
        self._text_names = [column.name for column in columns if column.kind == "text"]
        self._texts = Contents()
        numbers = [column.name for column in columns if column.kind == "number"]
        self._by_label = {name: NumbersByLabel() for name in (numbers if label else ())}

    def add(self, example: Example) -> None:
        """Takes in a product."""
        self.rows += 1
        problems = dict(self._name_problem(told) for told in example.problems)
        for name, column in self._columns.items():
            column.add(example, problems.get(name, ""))
        path = _path_of(example, self._label)
        if self._paths is not None:
            cells: dict[str, bytes | float] = {PATH: path.encode()} if path else {}
            self._paths.add(Example(example.id, example.row, cells))
        for name, numbers in self._by_label.items():
            numbers.add(example.row, example.values.get(name), path)
        digest = hash_texts(
            value.decode("utf-8", errors="replace")
            if isinstance(value := example.values.get(name, b""), bytes)
            else ""
            for name in self._text_names
        )
        if digest is not None:
            self._texts.add(digest, example.id)

    def merge(self, other: SplitSummary) -> None:
        """Takes in what another one of the same columns has."""
        self.rows += other.rows
        for name, column in other._columns.items():
            self._columns[name].merge(column)
        if self._paths is not None and other._paths is not None:
            self._paths.merge(other._paths)
        self._texts.merge(other._texts)
        for name, numbers in other._by_label.items():
            self._by_label[name].merge(numbers)

    def write(self, dataset: Any, name: str) -> None:
        """Fills a `DatasetFeatureStatistics` of the name of the split."""
        dataset.name = name
        dataset.num_examples = self.rows
        for column in self._columns.values():
            feature = dataset.features.add()
            column.write(feature)
            if column.name in self._by_label:
                self._by_label[column.name].write(feature)
        if self._paths is not None:
            feature = dataset.features.add()
            self._paths.write(feature)
            source = feature.validation_derived_source
            source.deriver_name = DERIVER
            for level in self._label:
                source.source_path.add(step=[level])

    def records(self) -> dict[str, Any]:
        """Returns records to look at, by column."""
        columns = [*self._columns.values(), *([self._paths] if self._paths else [])]
        return {column.name: records for column in columns if (records := column.records())}

    def contents(self) -> dict[str, Contents]:
        """Returns what records hold, by what it is."""
        found = {TEXTS: self._texts} if self._text_names else {}
        for name, column in self._columns.items():
            if isinstance(column.values, PictureColumn):
                found[f"{FILE} {name}"] = column.values.files
                found[f"{LOOK} {name}"] = column.values.looks
        return found

    def _name_problem(self, told: str) -> tuple[str, str]:
        """Splits a problem into the column and the clause; the longest name that fits."""
        names = [name for name in self._columns if told.startswith(f"{name}: ")]
        name = max(names, key=len, default="")
        return name, told[len(name) + 2 :] if name else told


def summarize_shard(path: Path, columns: Sequence[Column], label: Sequence[str]) -> SplitSummary:
    """Reads a shard; depends on nothing else.

    Args:
        path: Of the shard.
        columns: Of the examples.
        label: Columns of the label.
    """
    summary = SplitSummary(columns, label)
    for example in read_shard(path):
        summary.add(example)
    return summary


def _path_of(example: Example, label: Sequence[str]) -> str:
    """Returns the joined path of a record; `""` where any of its levels is empty."""
    levels = [value for name in label if isinstance(value := example.values.get(name), bytes)]
    if len(levels) < len(label):
        return ""
    return join_label([level.decode("utf-8", errors="replace") for level in levels])
