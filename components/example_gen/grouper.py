"""Finds near-duplicates in one delivery or several."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from components.example_gen.delivery import Delivery
from components.example_gen.row_keys import find_common_pairs, group_rows, write_keys
from components.shards import run_shards
from trainer.data.duplicates import group_near_duplicates
from trainer.data.table import Table
from trainer.data.unlabeled import stack_tables
from trainer.inputs import InputSpec


class Grouper:
    """Compares all with all up to a number of rows, and hashes beyond.

    Args:
        inputs: Those of kind `image` and `text` are compared.
        exact_rows: int. Up to so many rows all are compared.
        scratch: Folder.
    """

    def __init__(self, inputs: Sequence[InputSpec], exact_rows: int, scratch: Path) -> None:
        self._inputs = inputs
        self._exact_rows = exact_rows
        self._scratch = scratch

    def group(self, deliveries: Sequence[Delivery]) -> np.ndarray:
        """Returns the group of each row, those of one delivery after those of another."""
        if sum(len(delivery.ids) for delivery in deliveries) > self._exact_rows:
            parts = [part for of in deliveries for part in of.parts]
            common = find_common_pairs(parts, self._columns("text"))
            return group_rows([path for of in deliveries for path in self._keys(of, common)])
        tables = []
        for delivery in deliveries:
            columns = [name for spec in self._inputs for name in spec.columns]
            parts = [pd.read_parquet(path, columns=columns) for path in delivery.parts]
            tables.append(Table(pd.concat(parts, ignore_index=True), delivery.folder))
        return group_near_duplicates(stack_tables(tables, self._inputs), self._inputs)

    def _keys(self, delivery: Delivery, common: list[int]) -> list[Path]:
        """Returns files of keys, made at the first call."""
        shared = {
            "images": self._columns("image"),
            "texts": self._columns("text"),
            "common": common,
        }
        # What is common depends on what is compared.
        name = hashlib.sha256(repr(common).encode()).hexdigest()[:16]
        folder = self._scratch / delivery.parts[0].parent.name / name
        paths = [folder / f"{index:06d}.npy" for index in range(len(delivery.parts))]
        specs = [
            {"part": str(part), "folder": str(delivery.folder), "keys": str(path)}
            for part, path in zip(delivery.parts, paths, strict=True)
        ]
        list(run_shards("Comparing products", write_keys, specs, shared, folder / "notes"))
        return paths

    def _columns(self, kind: str) -> list[str]:
        return [name for spec in self._inputs if spec.kind == kind for name in spec.columns]
