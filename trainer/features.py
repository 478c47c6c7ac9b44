"""What was computed once for every product: arrays on disk, one row a product."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from trainer.files import new_folder, write_json

_COUNT_FILE = "num_rows.json"


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


class ArrayBatches(keras.utils.PyDataset):
    """Batches of rows of arrays, in an order that depends only on seed and epoch.

    Args:
        arrays: `(rows, ...)` by tensor name.
        class_ids: `(rows,)`.
        weights: `(rows,)`, how much each row counts.
        batch_size: int.
        seed: int, or `None` for the order of the rows.
        first_epoch: int. Where training goes on, so that the order does too.
    """

    def __init__(
        self,
        arrays: Mapping[str, np.ndarray],
        class_ids: np.ndarray,
        weights: np.ndarray,
        batch_size: int,
        *,
        seed: int | None = None,
        first_epoch: int = 0,
    ) -> None:
        super().__init__()
        self.arrays = arrays
        self.class_ids = class_ids
        self.row_weights = weights
        self.batch_size = batch_size
        self.seed = seed
        self.epoch = first_epoch
        self._draw_order()

    def __len__(self) -> int:
        return math.ceil(len(self.class_ids) / self.batch_size)

    def __getitem__(self, index: int) -> tuple[dict[str, np.ndarray], Any, Any]:
        rows = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        batch = {name: np.asarray(array[rows]) for name, array in self.arrays.items()}
        return batch, self.class_ids[rows], self.row_weights[rows]

    def on_epoch_end(self) -> None:
        self.epoch += 1
        self._draw_order()

    def _draw_order(self) -> None:
        self.order = np.arange(len(self.class_ids))
        if self.seed is not None:
            np.random.default_rng([self.seed, self.epoch]).shuffle(self.order)
