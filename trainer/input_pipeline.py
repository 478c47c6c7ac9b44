"""Products as batches: from the table to records, from records to the network."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.catalogue import Catalogue
from trainer.data.examples import read_examples
from trainer.data.labels import split_label
from trainer.data.suspicions import NO_SPLIT
from trainer.files import new_folder, write_json
from trainer.preprocessing import Branch, preprocess, present_name, raw_specs
from trainer.progress import progress_bar
from trainer.records import count_records, read_records, write_records
from trainer.registry import MODALITIES

CLASS_ID = "class_id"
CLASS_NAMES = "class_names"
"""Split with one example a class: its name where words are read, and nothing else."""
PROBLEMS_FILE = "problems.json"
READ_AT_ONCE = 32
"""Rows a batch where products are read for keeps."""


def split_folder(folder: Path, split: str) -> Path:
    """Returns the folder of a split, named as TFX names them."""
    return folder / f"Split-{split}"


def write_examples(catalogue: Catalogue, folder: Path) -> None:
    """Writes raw values and class ids of all rows, split by split, in table order.

    Beside them stand the names of the classes as one more split, and
    `problems.json`: row id to what was wrong with it.
    """
    specs = {
        **{
            name: tf.TensorSpec([], spec.dtype)
            for name, spec in raw_specs(catalogue.inputs).items()
        },
        CLASS_ID: tf.TensorSpec([], tf.int32),
    }
    problems: dict[str, str] = {}
    with (
        new_folder(folder) as temporary,
        progress_bar("Reading products", int((catalogue.splits != NO_SPLIT).sum())) as bar,
    ):
        for split in catalogue.split_names:
            rows = _example_rows(catalogue, catalogue.rows(split), problems, bar)
            write_records(split_folder(temporary, split), rows, specs)
        write_records(split_folder(temporary, CLASS_NAMES), _name_rows(catalogue), specs)
        write_json(temporary / PROBLEMS_FILE, problems)


def _example_rows(
    catalogue: Catalogue, rows: np.ndarray, problems: dict[str, str], bar: Any
) -> Iterator[dict[str, Any]]:
    ids = [catalogue.ids[row] for row in rows]
    class_ids = catalogue.class_ids[rows]
    examples = read_examples(catalogue.take(rows), catalogue.inputs, ids)
    for example, class_id in zip(examples, class_ids, strict=True):
        if example.problems:
            problems[example.id] = example.status
        bar.update()
        yield {**example.values, CLASS_ID: class_id}


def _name_rows(catalogue: Catalogue) -> Iterator[dict[str, Any]]:
    modalities = {spec.name: MODALITIES.get(spec.kind)() for spec in catalogue.inputs}
    for class_id, name in enumerate(catalogue.class_names):
        words = [" ".join(split_label(name))]
        yield {
            **{
                key: modality.read(words, Path())[0] if modality.reads_names else modality.absent
                for key, modality in modalities.items()
            },
            CLASS_ID: class_id,
        }


def raw_dataset(
    folder: Path, names: Sequence[str], batch_size: int = READ_AT_ONCE
) -> tf.data.Dataset:
    """Reads raw values of some inputs in their order."""
    return read_records(folder, batch_size, names=names)


def branch_dataset(folders: Sequence[Path], branch: Branch) -> tf.data.Dataset:
    """Reads and preprocesses what one branch needs of some splits, one after the other.

    Args:
        folders: Records of splits. No batch has rows of two of them.
        branch: The encoder.

    Returns:
        Dataset of dicts of tensors, `present_name` among them.
    """
    parts = [raw_dataset(folder, [branch.input.name]) for folder in folders]
    return (
        functools.reduce(tf.data.Dataset.concatenate, parts)
        .map(lambda raw: preprocess([branch], raw), num_parallel_calls=tf.data.AUTOTUNE)
        .prefetch(tf.data.AUTOTUNE)
    )


def training_dataset(
    folder: Path,
    branches: Sequence[Branch],
    batch_size: int,
    *,
    shuffle_seed: int | None = None,
    deterministic: bool = True,
) -> tf.data.Dataset:
    """Reads examples and preprocesses them on the fly.

    Args:
        folder: Records of one split.
        branches: The encoders.
        batch_size: int.
        shuffle_seed: int or `None` for the order of the table.
        deterministic: bool. False is faster on many cores.

    Returns:
        Dataset of `(tensors by name, class_ids)` batches.
    """

    def parse(row: dict[str, tf.Tensor]) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        class_ids = row.pop(CLASS_ID)
        return preprocess(branches, row), class_ids

    return (
        read_records(folder, batch_size, shuffle_seed=shuffle_seed, deterministic=deterministic)
        .map(parse, num_parallel_calls=tf.data.AUTOTUNE, deterministic=deterministic)
        .prefetch(tf.data.AUTOTUNE)
    )


def write_prepared(sources: Sequence[Path], folder: Path, branches: Sequence[Branch]) -> None:
    """Preprocesses splits once: uint8 pictures and ids instead of JPEG and text.

    Args:
        sources: Records of `write_examples`, one after the other.
        folder: Of the new records.
        branches: The encoders.
    """
    specs: dict[str, tf.TensorSpec] = {CLASS_ID: tf.TensorSpec([], tf.int32)}
    for branch in branches:
        specs.update(branch.encoder.input_specs())
        specs[present_name(branch.input.name)] = tf.TensorSpec([], tf.bool)
    with progress_bar("Preparing products", sum(map(count_records, sources))) as bar:
        write_records(folder, _prepared_rows(sources, branches, bar), specs, rows_per_shard=1024)


def _prepared_rows(
    sources: Sequence[Path], branches: Sequence[Branch], bar: Any
) -> Iterator[dict[str, Any]]:
    for source in sources:
        for tensors, class_ids in training_dataset(
            source, branches, READ_AT_ONCE
        ).as_numpy_iterator():
            for row, class_id in enumerate(class_ids):
                bar.update()
                yield {
                    **{name: values[row] for name, values in tensors.items()},
                    CLASS_ID: class_id,
                }


def prepared_dataset(
    folder: Path,
    batch_size: int,
    *,
    shuffle_seed: int | None = None,
    deterministic: bool = True,
) -> tf.data.Dataset:
    """Reads what `write_prepared` wrote as `(tensors by name, class_ids)` batches."""

    def parse(row: dict[str, tf.Tensor]) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        class_ids = row.pop(CLASS_ID)
        return row, class_ids

    return (
        read_records(folder, batch_size, shuffle_seed=shuffle_seed, deterministic=deterministic)
        .map(parse)  # moves no data: threads would only cost
        .prefetch(tf.data.AUTOTUNE)
    )
