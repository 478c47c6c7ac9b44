"""Rows of tensors as sharded TFRecord files, and back as batches."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.files import new_folder, write_json

SPEC_FILE = "spec.json"
ROWS_PER_SHARD = 4096
_SHUFFLE_ROWS = 4096


def write_records(
    folder: Path,
    rows: Iterable[Mapping[str, Any]],
    specs: Mapping[str, tf.TensorSpec],
    rows_per_shard: int = ROWS_PER_SHARD,
) -> int:
    """Writes rows into `records-00000-of-00003.tfrecord` and so on.

    Args:
        folder: Made whole or not at all.
        rows: Of each row a value by tensor name: an array, `bytes` or a number.
        specs: Dtype and shape (without batch) by tensor name. The last axis
            may be `None`: rows of differing length.
        rows_per_shard: int.

    Returns:
        How many rows there were.
    """
    num_rows, shards = 0, []
    with new_folder(folder) as temporary:
        writer = None
        for row in rows:
            if num_rows % rows_per_shard == 0:
                if writer:
                    writer.close()
                shards.append(temporary / f"shard-{len(shards)}")
                writer = tf.io.TFRecordWriter(str(shards[-1]))
            assert writer is not None
            writer.write(_serialize(row, specs))
            num_rows += 1
        if writer:
            writer.close()
        for index, shard in enumerate(shards):
            shard.rename(temporary / f"records-{index:05d}-of-{len(shards):05d}.tfrecord")
        described = {
            name: {"dtype": spec.dtype.name, "shape": spec.shape.as_list()}
            for name, spec in specs.items()
        }
        write_json(temporary / SPEC_FILE, {"num_rows": num_rows, "tensors": described})
    return num_rows


def count_records(folder: Path) -> int:
    """Returns the number of rows of a folder of records."""
    return json.loads((folder / SPEC_FILE).read_text())["num_rows"]


def read_records(
    folder: Path,
    batch_size: int,
    *,
    shuffle_seed: int | None = None,
    deterministic: bool = True,
    names: Iterable[str] | None = None,
) -> tf.data.Dataset:
    """Reads batches of rows.

    Args:
        folder: What `write_records` wrote.
        batch_size: int.
        shuffle_seed: int or `None`. Where given, shards are mixed and rows
            shuffled within a window, anew at every pass.
        deterministic: bool. False lets a slow shard be overtaken.
        names: Tensors to read; all by default.

    Returns:
        Dataset of dicts of tensors `(batch, ...)`; ragged last axes are padded
        with zeros to the longest of the batch.
    """
    if not (folder / SPEC_FILE).is_file():
        raise FileNotFoundError(f"No records at {folder.absolute()}: {SPEC_FILE} is missing.")
    tensors = json.loads((folder / SPEC_FILE).read_text())["tensors"]
    wanted = set(tensors if names is None else names)
    specs = {
        name: tf.TensorSpec(tensor["shape"], tensor["dtype"])
        for name, tensor in tensors.items()
        if name in wanted
    }
    files = sorted(str(path) for path in folder.glob("records-*.tfrecord"))
    if shuffle_seed is None:
        rows = tf.data.TFRecordDataset(files)
    else:
        rows = tf.data.Dataset.from_tensor_slices(tf.constant(files, tf.string))
        rows = rows.shuffle(len(files) or 1, shuffle_seed)
        rows = rows.interleave(
            tf.data.TFRecordDataset,
            cycle_length=4,
            num_parallel_calls=tf.data.AUTOTUNE,
            deterministic=deterministic,
        ).shuffle(_SHUFFLE_ROWS, shuffle_seed)
    return rows.batch(batch_size).map(
        lambda batch: _parse(batch, specs),
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=deterministic,
    )


def _serialize(row: Mapping[str, Any], specs: Mapping[str, tf.TensorSpec]) -> bytes:
    features = {}
    for name, spec in specs.items():
        value = row[name]
        if spec.dtype != tf.string:
            value = np.asarray(value, spec.dtype.as_numpy_dtype).tobytes()
        features[name] = tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


def _parse(batch: tf.Tensor, specs: Mapping[str, tf.TensorSpec]) -> dict[str, tf.Tensor]:
    features = {name: tf.io.FixedLenFeature([], tf.string) for name in specs}
    parsed = tf.io.parse_example(batch, features)
    return {name: _decode(parsed[name], spec) for name, spec in specs.items()}


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
