"""Requests, encoded before the load starts, so that encoding delays none."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from serving.client.grpc_calls import build_request
from serving.client.products import ProductReader, RawValues
from serving.client.protocol import ModelName
from serving.client.rest import encode_request
from trainer.inputs import InputSpec, columns_read


def read_products(
    path: Path, inputs: Sequence[InputSpec], limit: int
) -> tuple[list[RawValues], int]:
    """Reads the first rows of a table as raw values.

    Args:
        path: A `.csv` or `.parquet` file; picture paths are relative to it.
        inputs: Of the model.
        limit: int. Rows at most.

    Returns:
        The rows, and how many cells of them could not be read and count as absent.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is of another kind, has no rows, or none of the columns.
    """
    if not path.is_file():
        raise FileNotFoundError(f"The table does not exist: {path.absolute()}")
    columns = columns_read(inputs)
    reader = ProductReader(inputs, path.absolute().parent)
    kinds = {name: spec.kind for spec in inputs for name in spec.columns}
    rows: list[RawValues] = []
    bad = 0
    for cells in islice(_read_rows(path), limit):
        product: dict[str, Any] = {name: cells[name] for name in columns if name in cells}
        if not product:
            raise ValueError(
                f"The table has none of the columns that the model reads: {path}. Expected some "
                f"of {columns}. Received: {list(cells)}."
            )
        unread = {
            name: None
            for name, cell in product.items()
            if not _can_be_read(cell, kinds[name], path.absolute().parent)
        }
        bad += len(unread)
        rows.append(reader.read(product | unread))
    if not rows:
        raise ValueError(f"The table has no rows: {path}")
    return rows, bad


def encode(
    rows: Sequence[RawValues],
    inputs: Sequence[InputSpec],
    model: ModelName,
    signature: str,
    batch: int,
    scheme: str,
) -> list[bytes]:
    """Returns the bodies of requests that have each row in one of them.

    Args:
        rows: Raw values; the first ones again where the last batch falls short.
        inputs: Of the model.
        model: Who is asked.
        signature: str.
        batch: int. Rows a request.
        scheme: str. `http`, `https`, `grpc` or `grpcs`.
    """
    reader = ProductReader(inputs)
    bodies = []
    for start in range(0, len(rows), batch):
        values = reader.collect([rows[i % len(rows)] for i in range(start, start + batch)])
        if scheme.startswith("http"):
            bodies.append(encode_request(signature, values))
        else:
            bodies.append(build_request(model, signature, values).SerializeToString())
    return bodies


def _read_rows(path: Path) -> Iterator[Mapping[str, Any]]:
    if path.suffix.lower() == ".csv":
        csv.field_size_limit(2**31 - 1)
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from csv.DictReader(file)
    elif path.suffix.lower() in (".parquet", ".pq"):
        import pyarrow.parquet

        with pyarrow.parquet.ParquetFile(path) as file:
            for some in _batches_of(file):
                yield from some.to_pylist()
    else:
        raise ValueError(f"A table must be .csv or .parquet. Received: {path}.")


def _batches_of(file: Any) -> Iterable[Any]:
    return file.iter_batches(batch_size=256)


def _can_be_read(cell: Any, kind: str, folder: Path) -> bool:
    if kind == "image":
        return not isinstance(cell, str) or not cell or (folder / cell).is_file()
    if kind == "number" and cell not in (None, ""):
        try:
            return bool(np.isfinite(float(cell)))
        except (TypeError, ValueError):
            return False
    return True
