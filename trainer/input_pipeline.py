"""Products as batches: from the table to records, from records to the network."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.data.examples import read_examples
from trainer.data.table import Table
from trainer.features import StackedRows
from trainer.files import new_folder, write_json
from trainer.inputs import InputSpec
from trainer.preprocessing import Branch, preprocess, present_name, raw_specs
from trainer.progress import progress_bar
from trainer.records import count_records, read_records, write_records
from trainer.registry import MODALITIES
from trainer.sample import Sample

PROBLEMS_FILE = "problems.json"
CONTENTS_FILE = "contents.json"
"""Input to the name of its values, in folders that share some with others."""
READ_AT_ONCE = 32
"""Rows a batch where products are read for keeps."""
_TARGET, _WEIGHT = "target-", "weight"  # No tensor has a hyphen in its name.


def write_examples(table: Table, inputs: Sequence[InputSpec], folder: Path) -> None:
    """Writes the raw values of all rows in their order.

    Beside them stands `problems.json`: row to what was wrong with it.
    """
    problems: dict[int, str] = {}

    def rows() -> Iterator[dict[str, Any]]:
        ids = [str(row) for row in range(len(table.frame))]
        for row, example in enumerate(read_examples(table, inputs, ids)):
            if example.problems:
                problems[row] = example.status
            bar.update()
            yield example.values

    with (
        new_folder(folder) as temporary,
        progress_bar("Reading products", len(table.frame)) as bar,
    ):
        write_records(temporary, rows(), value_specs(inputs))
        write_json(temporary / PROBLEMS_FILE, problems)


def write_texts(texts: Sequence[str], inputs: Sequence[InputSpec], folder: Path) -> None:
    """Writes one example a text: the text where words are read, and nothing else."""
    modalities = {spec.name: MODALITIES.get(spec.kind)() for spec in inputs}
    rows = (
        {
            key: modality.read([text], Path())[0] if modality.reads_names else modality.absent
            for key, modality in modalities.items()
        }
        for text in texts
    )
    with new_folder(folder) as temporary:
        write_records(temporary, rows, value_specs(inputs))


def value_specs(inputs: Sequence[InputSpec]) -> dict[str, tf.TensorSpec]:
    """Returns what `write_records` needs to write raw values."""
    return {name: tf.TensorSpec([], spec.dtype) for name, spec in raw_specs(inputs).items()}


def raw_dataset(
    folder: Path,
    names: Sequence[str],
    batch_size: int = READ_AT_ONCE,
    *,
    rows: np.ndarray | None = None,
    shard: int | None = None,
) -> tf.data.Dataset:
    """Reads raw values of some inputs in their order.

    Args:
        folder: Records of `write_examples`.
        names: Inputs.
        batch_size: int.
        rows: int array `(n,)`, which rows to keep; all by default. Batches
            are smaller then, and none is empty.
        shard: int. Which file of the records; all by default, and where rows are given.
    """
    data = read_records(folder, batch_size, names=names, shard=shard)
    if rows is None:
        return data
    wanted = np.zeros(count_records(folder), bool)
    wanted[rows] = True
    masks = tf.data.Dataset.from_tensor_slices(wanted).batch(batch_size)
    return (
        tf.data.Dataset.zip((masks, data))
        .filter(lambda mask, _: tf.reduce_any(mask))
        .map(lambda mask, raw: {name: tf.boolean_mask(raw[name], mask) for name in raw})
    )


def content_name(folder: Path, input_name: str) -> str:
    """Names what a folder of records holds of one input: the same name is the same values."""
    contents = folder / CONTENTS_FILE
    return json.loads(contents.read_text())[input_name] if contents.is_file() else folder.name


def read_values(
    folder: Path, inputs: Sequence[InputSpec], rows: np.ndarray | None = None
) -> Iterator[dict[str, bytes | float]]:
    """Yields the raw values of a product by input name, row by row in their order.

    Args:
        folder: Records of `write_examples`.
        inputs: Inputs of the model.
        rows: int array `(n,)`, which rows to keep; all by default.
    """
    data = raw_dataset(folder, [spec.name for spec in inputs], rows=rows)
    for batch in data.as_numpy_iterator():
        for values in zip(*batch.values(), strict=True):
            yield dict(zip(batch, values, strict=True))


def product_dataset(
    folder: Path, branches: Sequence[Branch], *, rows: np.ndarray | None = None
) -> tf.data.Dataset:
    """Reads and preprocesses what some branches need, in the order of the rows.

    Args:
        folder: Records of `write_examples`.
        branches: The encoders.
        rows: int array `(n,)`, which rows to keep; all by default.

    Returns:
        Dataset of dicts of tensors, `present_name` among them.
    """
    names = {branch.input.name for branch in branches}
    return (
        raw_dataset(folder, sorted(names), rows=rows)
        .map(lambda raw: preprocess(branches, raw), num_parallel_calls=tf.data.AUTOTUNE)
        .prefetch(tf.data.AUTOTUNE)
    )


def write_prepared(
    sources: Sequence[tuple[Path, np.ndarray]],
    sample: Sample,
    folder: Path,
    branches: Sequence[Branch],
    known: Mapping[str, StackedRows],
) -> None:
    """Preprocesses rows once: uint8 pictures and ids instead of JPEG and text.

    Args:
        sources: Records of `write_examples` and which of their rows, ascending;
            together the rows of `sample`.
        sample: Their targets and weights.
        folder: Of the new records.
        branches: The encoders.
        known: Tensors that are known already, such as embeddings of frozen
            encoders, of all rows that there are.
    """
    targets = sample.targets()
    named = targets if isinstance(targets, dict) else {"": targets}
    labels = {**{_TARGET + name: of for name, of in named.items()}, _WEIGHT: sample.weights}
    specs = {name: tf.TensorSpec(of.shape[1:], of.dtype) for name, of in labels.items()}
    for branch in branches:
        specs.update(branch.encoder.input_specs())
        specs[present_name(branch.input.name)] = tf.TensorSpec([], tf.bool)
    for name, values in known.items():
        specs[name] = tf.TensorSpec(values.shape[1:], values.dtype)

    def prepared_rows() -> Iterator[dict[str, Any]]:
        start = 0
        for source, rows in sources:
            for tensors in product_dataset(source, branches, rows=rows).as_numpy_iterator():
                size = len(next(iter(tensors.values())))
                taken = slice(start, start := start + size)
                tensors.update({name: of[sample.rows[taken]] for name, of in known.items()})
                tensors.update({name: of[taken] for name, of in labels.items()})
                for values in zip(*tensors.values(), strict=True):
                    bar.update()
                    yield dict(zip(tensors, values, strict=True))

    with progress_bar("Preparing products", len(sample)) as bar:
        write_records(folder, prepared_rows(), specs, rows_per_shard=1024)


def prepared_dataset(
    folder: Path,
    batch_size: int,
    *,
    shuffle_seed: int | None = None,
    deterministic: bool = True,
    times: np.ndarray | None = None,
) -> tf.data.Dataset:
    """Reads what `write_prepared` wrote as `(tensors by name, targets, weights)` batches.

    Args: as for `read_records`.
    """

    def parse(row: dict[str, tf.Tensor]) -> tuple[dict[str, tf.Tensor], Any, tf.Tensor]:
        names = [name for name in row if name.startswith(_TARGET)]
        targets = {name.removeprefix(_TARGET): row.pop(name) for name in names}
        return row, targets.get("", targets), row.pop(_WEIGHT)

    return (
        read_records(
            folder,
            batch_size,
            shuffle_seed=shuffle_seed,
            deterministic=deterministic,
            times=times,
        )
        .map(parse)  # moves no data: threads would only cost
        .prefetch(tf.data.AUTOTUNE)
    )
