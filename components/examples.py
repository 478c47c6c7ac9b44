"""Products as TFX has them: splits of TFRecord shards of `tf.Example`.

    Split-train/data_tfrecord-00000-of-00002
    Split-train/data_tfrecord-00001-of-00002
    Split-eval/...
    examples.json

A product has one feature for each column of the user's table, under its name: encoded
bytes of a picture, UTF-8 of a text, float32 of a number; none where the cell is empty or
cannot be read. Beside these stand `ID`, `ROW` and `PROBLEMS`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from trainer.data.columns import Column
from trainer.data.table import PROBLEMS_COLUMN, Table
from trainer.files import write_json
from trainer.registry import unknown

FILE = "examples.json"
ID, ROW, PROBLEMS = "taxofuse/id", "taxofuse/row", PROBLEMS_COLUMN
SPLIT_COLUMN = "taxofuse/split"
UNLABELED = "unlabeled"
"""Split of the rows without a label."""
_PICTURES = frozenset({"image"})


@dataclass(frozen=True)
class Example:
    """A product of a shard.

    Args:
        id: str.
        row: int. Its place in the source, over all splits.
        values: By column; a column whose cell is empty or broken is left out.
        problems: What was wrong with its cells.
    """

    id: str
    row: int
    values: Mapping[str, bytes | float]
    problems: tuple[str, ...] = ()


@dataclass(frozen=True)
class ExamplesInfo:
    """What is in an artifact of examples.

    Args:
        columns: Of the source, in its order.
        label: Columns of the label, from the top of the taxonomy down.
        shards: Shards by split.
        rows: Products by split.
        problems: Products with problems, by split.
        span: int. Which delivery of data it is.
        rehearsed: int. How many of the shards of `train`, the last of them, hold rows of earlier
            spans that are learned again; the others hold none.
        notes: What else is known of the source, for people.
    """

    columns: tuple[Column, ...]
    label: tuple[str, ...]
    shards: Mapping[str, int]
    rows: Mapping[str, int]
    problems: Mapping[str, int] = field(default_factory=dict)
    span: int = 0
    rehearsed: int = 0
    notes: Mapping[str, Any] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Writes `examples.json`."""
        write_json(folder / FILE, asdict(self))

    @staticmethod
    def read(folder: Path) -> ExamplesInfo:
        """Reads `examples.json`.

        Raises:
            FileNotFoundError: if the folder has none.
        """
        path = folder / FILE
        if not path.is_file():
            raise FileNotFoundError(f"No examples at {folder.absolute()}: {FILE} is missing.")
        told = json.loads(path.read_text(encoding="utf-8"))
        columns = tuple(Column(**column) for column in told.pop("columns"))
        return ExamplesInfo(columns, tuple(told.pop("label")), **told)

    @property
    def kinds(self) -> dict[str, str]:
        """Kind of each column: a modality, or `label`, `id`, `split`, `ignored` ..."""
        return {column.name: column.kind for column in self.columns}

    @property
    def split_names(self) -> list[str]:
        """Splits that have rows."""
        return [name for name, rows in self.rows.items() if rows]


def shard_path(folder: Path, split: str, index: int, count: int) -> Path:
    """Returns where a shard of a split stands."""
    return folder / f"Split-{split}" / f"data_tfrecord-{index:05d}-of-{count:05d}"


def shard_paths(folder: Path, split: str) -> list[Path]:
    """Returns the shards of a split.

    Raises:
        ValueError: if there is no such split; the message lists those there are.
        FileNotFoundError: if a shard is missing.
    """
    info = ExamplesInfo.read(folder)
    if split not in info.shards:
        raise ValueError(unknown("split", split, info.shards))
    count = info.shards[split]
    paths = [shard_path(folder, split, index, count) for index in range(count)]
    for path in paths:
        if not path.is_file():
            raise FileNotFoundError(f"A shard of the examples is missing: {path.absolute()}")
    return paths


def write_shard(path: Path, examples: Iterable[Example]) -> int:
    """Writes one shard; returns how many products it has."""
    import tensorflow as tf

    count = 0
    path.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for example in examples:
            writer.write(_to_proto(example).SerializeToString(deterministic=True))
            count += 1
    return count


def read_shard(path: Path, columns: Sequence[str] | None = None) -> Iterator[Example]:
    """Yields the products of a shard, in order.

    Args:
        path: Of the shard.
        columns: Names of the columns to return; all by default.

    Raises:
        ValueError: if the shard is broken; naming it and the record.
    """
    import tensorflow as tf

    wanted = None if columns is None else frozenset(columns)
    records = iter(tf.data.TFRecordDataset(str(path)).as_numpy_iterator())
    count = 0
    while True:
        try:
            record = next(records)
        except StopIteration:
            return
        except tf.errors.OpError as error:
            raise ValueError(
                f"Broken shard: {path}, after record {count}: {error.message}"
            ) from error
        yield _from_proto(tf.train.Example.FromString(record), wanted)
        count += 1


def read_examples(
    folder: Path, split: str, columns: Sequence[str] | None = None
) -> Iterator[Example]:
    """Yields the products of a split, shard by shard."""
    for path in shard_paths(folder, split):
        yield from read_shard(path, columns)


def read_table(
    folder: Path, splits: Sequence[str] | None = None, limit: int | None = None
) -> Table:
    """Returns products as a table like the one they came from, in its order.

    Cells of pictures hold the encoded bytes. The column `id` has the ids, and
    `SPLIT_COLUMN` the splits; `PROBLEMS_COLUMN` has what was wrong. All is held in memory.

    Args:
        folder: Of the artifact.
        splits: Which; all by default.
        limit: int. How many of each split, the first of its shards; all by default.
    """
    info = ExamplesInfo.read(folder)
    found = [
        (example, split)
        for split in (info.split_names if splits is None else splits)
        for example in islice(read_examples(folder, split), limit)
    ]
    found.sort(key=lambda one: one[0].row)
    cells: dict[str, list[Any]] = {"id": [example.id for example, _ in found]}
    for column in info.columns:
        if column.name != "id":
            cells[column.name] = [
                _to_cell(example.values.get(column.name), column.kind) for example, _ in found
            ]
    cells[SPLIT_COLUMN] = [split for _, split in found]
    cells[PROBLEMS_COLUMN] = [example.problems for example, _ in found]
    return Table(
        pd.DataFrame({name: pd.Series(own, dtype=object) for name, own in cells.items()}), folder
    )


def _to_cell(value: bytes | float | None, kind: str) -> Any:
    if value is None:
        return None
    if isinstance(value, bytes):
        return value if kind in _PICTURES else value.decode("utf-8")
    return value


def _to_proto(example: Example) -> Any:
    import tensorflow as tf

    features = {
        ID: tf.train.Feature(bytes_list=tf.train.BytesList(value=[example.id.encode()])),
        ROW: tf.train.Feature(int64_list=tf.train.Int64List(value=[example.row])),
    }
    if example.problems:
        told = [problem.encode() for problem in example.problems]
        features[PROBLEMS] = tf.train.Feature(bytes_list=tf.train.BytesList(value=told))
    for name, value in example.values.items():
        if isinstance(value, bytes):
            features[name] = tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
        else:
            features[name] = tf.train.Feature(float_list=tf.train.FloatList(value=[value]))
    return tf.train.Example(features=tf.train.Features(feature=features))


def _from_proto(proto: Any, wanted: frozenset[str] | None) -> Example:
    features = proto.features.feature
    values: dict[str, bytes | float] = {}
    for name in features:
        if name in (ID, ROW, PROBLEMS) or (wanted is not None and name not in wanted):
            continue
        kind = features[name].WhichOneof("kind")
        if kind is not None and (value := getattr(features[name], kind).value):
            values[name] = value[0] if kind != "float_list" else float(np.float32(value[0]))
    return Example(
        features[ID].bytes_list.value[0].decode(),
        features[ROW].int64_list.value[0],
        values,
        tuple(problem.decode() for problem in features[PROBLEMS].bytes_list.value)
        if PROBLEMS in features
        else (),
    )
