"""What was computed once for every product: arrays on disk, one row a product."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.files import new_folder, write_json
from trainer.sample import Sample
from trainer.sampling import draw_times

_COUNT_FILE = "num_rows.json"
_BATCHES_AT_ONCE = 32


def write_arrays(folder: Path, batches: Iterable[Mapping[str, np.ndarray]], num_rows: int) -> None:
    """Writes batches of rows into one `.npy` file a tensor.

    Args:
        folder: Made whole or not at all.
        batches: Arrays `(batch, ...)` by name; together `num_rows` rows.
        num_rows: int.
    """
    arrays: dict[str, np.memmap] = {}
    start = 0
    with new_folder(folder) as temporary:
        for batch in batches:
            for name, values in batch.items():
                if name not in arrays:
                    arrays[name] = np.lib.format.open_memmap(
                        temporary / f"{name}.npy",
                        mode="w+",
                        dtype=values.dtype,
                        shape=(num_rows, *values.shape[1:]),
                    )
                arrays[name][start : start + len(values)] = values
            start += len(next(iter(batch.values())))
        if start != num_rows:
            raise ValueError(f"Expected {num_rows} rows for {folder}. Received: {start}.")
        for array in arrays.values():
            array.flush()
        write_json(temporary / _COUNT_FILE, num_rows)


def has_arrays(folder: Path) -> bool:
    """Says whether `write_arrays` finished there."""
    return (folder / _COUNT_FILE).is_file()


def open_arrays(folder: Path) -> dict[str, np.ndarray]:
    """Opens the arrays of a folder without reading them."""
    num_rows = json.loads((folder / _COUNT_FILE).read_text())
    if num_rows == 0:
        return {}
    return {path.stem: np.load(path, mmap_mode="r") for path in sorted(folder.glob("*.npy"))}


class StackedRows:
    """Arrays of rows of one kind, one after the other, read where they lie.

    Args:
        parts: `(rows, ...)` each, of one shape and dtype but for the rows.
    """

    def __init__(self, parts: Sequence[np.ndarray]) -> None:
        self.parts = list(parts)
        self.starts = np.cumsum([0, *map(len, parts)])[:-1]
        self.dtype = parts[0].dtype
        self.shape = (sum(map(len, parts)), *parts[0].shape[1:])

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        """Reads the rows at some positions `(n,)`, in their order."""
        values = np.empty((len(rows), *self.shape[1:]), self.dtype)
        for start, part in zip(self.starts, self.parts, strict=True):
            inside = (rows >= start) & (rows < start + len(part))
            values[inside] = part[rows[inside] - start]
        return values


def array_batches(
    arrays: Mapping[str, StackedRows],
    sample: Sample,
    batch_size: int,
    *,
    seed: int | None = None,
    first_epoch: int = 0,
    sampling: str = "rows",
) -> tf.data.Dataset:
    """Feeds rows of arrays in batches.

    Args:
        arrays: By tensor name.
        sample: Which rows.
        batch_size: int.
        seed: int. Epoch after epoch without end, each in an order that
            depends only on seed and epoch. `None` gives the rows once, in
            their own order.
        first_epoch: int. Where training goes on, so that the order does too.
        sampling: How often rows come in an epoch, see `draw_times`.

    Returns:
        `(tensors by name, targets, weights)` batches.
    """
    signature = tf.nest.map_structure(
        lambda of: tf.TensorSpec([None, *of.shape[1:]], of.dtype),
        (dict(arrays), sample.targets(), sample.weights),
    )
    slabs = _Slabs(arrays, sample, batch_size * _BATCHES_AT_ONCE, seed, first_epoch, sampling)
    # TensorFlow never lets go of a generator function; the open files must close with the data set.
    there = weakref.ref(slabs)
    data = tf.data.Dataset.from_generator(lambda: iter(there()), output_signature=signature)
    data.slabs = slabs
    batches = math.ceil(len(sample) / batch_size) if seed is None else tf.data.INFINITE_CARDINALITY
    return (
        data.flat_map(lambda *slab: tf.data.Dataset.from_tensor_slices(slab).batch(batch_size))
        .apply(tf.data.experimental.assert_cardinality(batches))
        .prefetch(tf.data.AUTOTUNE)
    )


@dataclasses.dataclass(eq=False)
class _Slabs:
    """Rows of arrays, many batches at a time; TensorFlow cuts them. See `array_batches`."""

    arrays: Mapping[str, StackedRows]
    sample: Sample
    num_rows: int
    seed: int | None
    first_epoch: int
    sampling: str

    def __iter__(self) -> Iterator[Any]:
        sample = self.sample
        for epoch in (None,) if self.seed is None else itertools.count(self.first_epoch):
            order = np.arange(len(sample))
            if epoch is not None:
                order = np.repeat(order, draw_times(sample, self.sampling, self.seed, epoch))
                np.random.default_rng([self.seed, epoch]).shuffle(order)
            for start in range(0, len(order), self.num_rows):
                taken = order[start : start + self.num_rows]
                tensors = {name: of[sample.rows[taken]] for name, of in self.arrays.items()}
                yield tensors, sample.targets(taken), sample.weights[taken]
