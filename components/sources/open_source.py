"""Finds what a user means by a table."""

from __future__ import annotations

import glob
from pathlib import Path

from components.sources.picture_folder import PictureFolder
from components.sources.source import Source
from components.sources.span_pattern import fill_span
from components.sources.table_files import SUFFIXES, TableFiles
from components.sources.tfds_dataset import TFDSDataset
from components.sources.tfrecord_files import TFRecordFiles

TFDS = "tfds:"


def open_source(table: str, span: int = 0) -> Source:
    """Returns the products that a table names, without reading any.

    Args:
        table: A CSV, TSV or Parquet file; a TFRecord file, with `tfrecord` in its name; a
            pattern of several such files, `products-*.parquet`; a folder of pictures by class;
            or `tfds:NAME`. `{SPAN}` stands for the number of the span, `{SPAN:3}` with zeros
            before it to make three digits.
        span: int.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is nothing of that.
    """
    table = fill_span(table, span)
    if table.startswith(TFDS):
        return TFDSDataset(table.removeprefix(TFDS))
    path = Path(table)
    if path.is_dir():
        return PictureFolder(path)
    paths = [path]
    if not path.exists() and glob.has_magic(table):
        paths = sorted(
            found for name in glob.glob(table, recursive=True) if (found := Path(name)).is_file()
        )
    if not paths or not paths[0].exists():
        raise FileNotFoundError(f"The table does not exist: {path.absolute()}")
    if all(path.suffix.lower() in SUFFIXES for path in paths):
        return TableFiles(paths)
    if all("tfrecord" in path.name.lower() for path in paths):
        return TFRecordFiles(paths)
    raise ValueError(
        f"A table must be one of {list(SUFFIXES)}, a TFRecord file (`tfrecord` in its name), a "
        "folder of pictures by class, or tfds:NAME. "
        f"Received: {', '.join(path.name for path in paths[:5])} in {paths[0].absolute().parent}."
    )
