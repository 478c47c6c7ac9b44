"""Rows of tensors as sharded TFRecord files, and back as batches."""

from __future__ import annotations

import contextlib
import itertools
import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.files import new_folder, write_json

SPEC_FILE = "spec.json"
ROWS_PER_SHARD = 4096
# Tensors of so many bytes stand beside the TFRecord file as bare bytes: checksums and protocol
# buffers cost half of the time that reading a decoded picture takes.
_LARGE_BYTES = 16_384
_SHUFFLE_ROWS = 4096


def write_records(
    folder: Path,
    rows: Iterable[Mapping[str, Any]],
    specs: Mapping[str, tf.TensorSpec],
    rows_per_shard: int = ROWS_PER_SHARD,
) -> int:
    """Writes rows into `records-00000-of-00003.tfrecord` and so on.

    Large tensors, such as decoded pictures, go into a file of their own beside
    each of these, `records-00000-of-00003.NAME`, row after row.

    Args:
        folder: Made whole or not at all.
        rows: Of each row a value by tensor name: an array, `bytes` or a number.
        specs: Dtype and shape (without batch) by tensor name. The last axis
            may be `None`: rows of differing length.
        rows_per_shard: int.

    Returns:
        How many rows there were.
    """
    num_rows, num_shards = 0, 0
    rows = iter(rows)
    with new_folder(folder) as temporary:
        for first in rows:
            others = itertools.islice(rows, rows_per_shard - 1)
            stem = temporary / f"shard-{num_shards}"
            num_rows += _write_shard(stem, itertools.chain([first], others), specs)
            num_shards += 1
        for path in list(temporary.iterdir()):
            index = int(path.stem.removeprefix("shard-"))
            path.rename(path.with_stem(f"records-{index:05d}-of-{num_shards:05d}"))
        described = {
            name: {"dtype": spec.dtype.name, "shape": spec.shape.as_list()}
            for name, spec in specs.items()
        }
        sizes = {"num_rows": num_rows, "rows_per_shard": rows_per_shard}
        write_json(temporary / SPEC_FILE, {**sizes, "tensors": described})
    return num_rows


def count_records(folder: Path) -> int:
    """Returns the number of rows of a folder of records."""
    return json.loads((folder / SPEC_FILE).read_text())["num_rows"]


def count_shards(folder: Path) -> int:
    """Returns the number of files that the rows of a folder are in."""
    described = json.loads((folder / SPEC_FILE).read_text())
    return math.ceil(described["num_rows"] / described["rows_per_shard"])


def read_records(
    folder: Path,
    batch_size: int,
    *,
    shuffle_seed: int | None = None,
    deterministic: bool = True,
    times: np.ndarray | None = None,
    names: Iterable[str] | None = None,
    shard: int | None = None,
) -> tf.data.Dataset:
    """Reads batches of rows.

    Args:
        folder: What `write_records` wrote.
        batch_size: int.
        shuffle_seed: int or `None`. Where given, shards are mixed and rows
            shuffled within a window, anew at every pass.
        deterministic: bool. False lets a slow batch be overtaken.
        times: int64 array `(rows,)`, how often each row comes, as often as
            there are rows in all; `None` for once each.
        names: Tensors to read; all by default.
        shard: int. Which file; all by default.

    Returns:
        Dataset of dicts of tensors `(batch, ...)`; ragged last axes are padded
        with zeros to the longest of the batch.
    """
    if not (folder / SPEC_FILE).is_file():
        raise FileNotFoundError(f"No records at {folder.absolute()}: {SPEC_FILE} is missing.")
    described = json.loads((folder / SPEC_FILE).read_text())
    wanted = set(described["tensors"] if names is None else names)
    specs = {
        name: tf.TensorSpec(tensor["shape"], tensor["dtype"])
        for name, tensor in described["tensors"].items()
        if name in wanted
    }
    files = sorted(str(path) for path in folder.glob("records-*.tfrecord"))
    num_rows = described["num_rows"]
    if shard is not None:
        before = shard * described["rows_per_shard"]
        files, num_rows = [files[shard]], min(described["rows_per_shard"], num_rows - before)
    rows = tf.data.Dataset.from_tensor_slices(tf.constant(files, tf.string)).enumerate()

    def read_shard(index: tf.Tensor, file: tf.Tensor) -> tf.data.Dataset:
        if times is None or (times == 1).all():
            return _read_shard(file, specs)
        own = tf.constant(times)[index * described["rows_per_shard"] :]
        drawn = tf.data.Dataset.zip(
            (_read_shard(file, specs), tf.data.Dataset.from_tensor_slices(own))
        )
        return drawn.flat_map(lambda row, often: tf.data.Dataset.from_tensors(row).repeat(often))

    if shuffle_seed is None:
        rows = rows.flat_map(read_shard)
    else:
        rows = rows.shuffle(len(files) or 1, shuffle_seed)
        # In one thread: handing single rows from thread to thread costs more than reading them.
        rows = rows.interleave(read_shard, cycle_length=4)
        rows = rows.shuffle(_SHUFFLE_ROWS, shuffle_seed)
    batches = rows.batch(batch_size).map(
        lambda records, large: _parse(records, large, specs),
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=deterministic,
    )
    # Keras wants to know where an epoch ends.
    num_batches = math.ceil(num_rows / batch_size)
    return batches.apply(tf.data.experimental.assert_cardinality(num_batches))


def _large_bytes(specs: Mapping[str, tf.TensorSpec]) -> dict[str, int]:
    """Returns the bytes a row of each tensor that has a file of its own."""
    sizes = {
        name: spec.shape.num_elements() * spec.dtype.size
        for name, spec in specs.items()
        if spec.dtype != tf.string and spec.shape.is_fully_defined()
    }
    return {name: size for name, size in sizes.items() if size >= _LARGE_BYTES}


def _write_shard(
    stem: Path, rows: Iterable[Mapping[str, Any]], specs: Mapping[str, tf.TensorSpec]
) -> int:
    """Writes `stem.tfrecord` and `stem.NAME` for large tensors; returns the number of rows."""
    num_rows = 0
    with contextlib.ExitStack() as files:
        records = files.enter_context(tf.io.TFRecordWriter(f"{stem}.tfrecord"))
        large = {
            name: files.enter_context(open(f"{stem}.{name}", "wb")) for name in _large_bytes(specs)
        }
        for row in rows:
            values = {name: _to_bytes(name, row[name], spec) for name, spec in specs.items()}
            for name, file in large.items():
                file.write(values.pop(name))
            features = {
                name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
                for name, value in values.items()
            }
            example = tf.train.Example(features=tf.train.Features(feature=features))
            records.write(example.SerializeToString(deterministic=True))
            num_rows += 1
    return num_rows


def _to_bytes(name: str, value: Any, spec: tf.TensorSpec) -> bytes:
    if spec.dtype == tf.string:
        return value
    array = np.asarray(value, spec.dtype.as_numpy_dtype)
    if not spec.shape.is_compatible_with(array.shape):
        raise ValueError(
            f"Rows of {name!r} must be shaped {spec.shape}. Received: shape {array.shape}."
        )
    return array.tobytes()


def _read_shard(file: tf.Tensor, specs: Mapping[str, tf.TensorSpec]) -> tf.data.Dataset:
    """Reads `(record, large tensors by name)`, all of them strings, row by row."""
    stem = tf.strings.regex_replace(file, r"tfrecord$", "")
    large = {
        name: tf.data.FixedLengthRecordDataset(stem + name, size)
        for name, size in _large_bytes(specs).items()
    }
    return tf.data.Dataset.zip((tf.data.TFRecordDataset(file), large))


def _parse(
    records: tf.Tensor, large: Mapping[str, tf.Tensor], specs: Mapping[str, tf.TensorSpec]
) -> dict[str, tf.Tensor]:
    features = {name: tf.io.FixedLenFeature([], tf.string) for name in specs if name not in large}
    values = {**large, **(tf.io.parse_example(records, features) if features else {})}
    return {name: _decode(values[name], spec) for name, spec in specs.items()}


def _decode(values: tf.Tensor, spec: tf.TensorSpec) -> tf.Tensor:
    if spec.dtype == tf.string:
        return values
    # Bools have no raw form of their own: they are bytes of 0 and 1.
    dtype = tf.uint8 if spec.dtype == tf.bool else spec.dtype
    shape = spec.shape.as_list()
    if None in shape:
        longest = tf.reduce_max(tf.strings.length(values))
        decoded = tf.io.decode_raw(values, dtype, fixed_length=tf.maximum(longest, dtype.size))
    else:
        decoded = tf.io.decode_raw(values, dtype)
    # At most one -1: the batch, or the axis of differing length.
    batch = tf.shape(values)[0] if None in shape else -1
    decoded = tf.reshape(decoded, [batch, *[-1 if size is None else size for size in shape]])
    return tf.cast(decoded, spec.dtype)
