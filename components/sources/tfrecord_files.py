"""Products of TFRecord files of `tf.Example`, written by ExampleGen or anybody else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd

from components.examples import ID, PROBLEMS, ROW, UNLABELED
from components.sources.source import Source
from trainer.data.table import Table

_SPLIT = re.compile(r"Split-(.+)")


class TFRecordFiles(Source):
    """Rows of one file after the other: a column for each feature.

    Bytes that are UTF-8 are text. A feature of several values is a list, which nothing reads.
    Of files in folders `Split-NAME`, as TFX writes them, the column `split` says the name.

    Args:
        paths: Files; compressed where their names end in `.gz`.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = [path.absolute() for path in paths]

    @property
    def files(self) -> list[Path]:
        return list(self._paths)

    def tables(self, rows: int) -> Iterator[Table]:
        records = self._records()
        first = True
        while (some := list(islice(records, rows))) or first:
            columns = sorted({name for row in some for name in row})
            cells = {name: [row.get(name) for row in some] for name in columns}
            yield Table(pd.DataFrame(cells, dtype=object), self._paths[0].parent)
            first = False

    def _records(self) -> Iterator[dict[str, Any]]:
        import tensorflow as tf

        for path in self._paths:
            split = _SPLIT.fullmatch(path.parent.name)
            compression = "GZIP" if path.suffix == ".gz" else ""
            records = iter(tf.data.TFRecordDataset(str(path), compression).as_numpy_iterator())
            count = 0
            while True:
                try:
                    row = _read(tf.train.Example.FromString(next(records)))
                except StopIteration:
                    break
                except Exception as error:  # of the file, or of the message
                    raise ValueError(
                        f"Not TFRecords of tf.Example: {path}, record {count}: {error}"
                    ) from error
                if split:
                    # Nobody asks of a row without a label which split it is in.
                    row["split"] = "train" if split[1] == UNLABELED else split[1]
                yield row
                count += 1


def _read(example: Any) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name, feature in example.features.feature.items():
        kind = feature.WhichOneof("kind")
        values = [as_cell(value) for value in getattr(feature, kind).value] if kind else []
        if name not in (ROW, PROBLEMS) and values:
            row["id" if name == ID else name] = values[0] if len(values) == 1 else values
    return row


def as_cell(value: Any) -> Any:
    """Returns bytes as text where they are some; all else as it is."""
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            return value
    return value
