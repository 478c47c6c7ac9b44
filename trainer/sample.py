"""Which rows to learn from or to watch, as what, and how much each counts."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Sample:
    """Rows of a feature store with their classes.

    Args:
        rows: `(n,)` int64, positions in the store, ascending.
        class_ids: `(n,)` int32.
        weights: `(n,)` float32, how much each row counts.
    """

    rows: np.ndarray
    class_ids: np.ndarray
    weights: np.ndarray

    def __post_init__(self) -> None:
        sizes = [len(self.rows), len(self.class_ids), len(self.weights)]
        if len(set(sizes)) > 1:
            raise ValueError(f"Every row needs a class and a weight. Received: sizes {sizes}.")
        if (np.diff(self.rows) <= 0).any():
            raise ValueError("The rows of a sample must be ascending, none twice.")

    @classmethod
    def of(
        cls, rows: np.ndarray, class_ids: np.ndarray, weights: np.ndarray | None = None
    ) -> Sample:
        """Makes a sample of rows in any order, which by default count the same."""
        order = np.argsort(rows, kind="stable")
        if weights is None:
            weights = np.ones(len(rows))
        return cls(
            np.asarray(rows, np.int64)[order],
            np.asarray(class_ids, np.int32)[order],
            np.asarray(weights, np.float32)[order],
        )

    def __len__(self) -> int:
        return len(self.rows)

    def __add__(self, other: Sample) -> Sample:
        parts = zip(
            (self.rows, self.class_ids, self.weights),
            (other.rows, other.class_ids, other.weights),
            strict=True,
        )
        return Sample.of(*map(np.concatenate, parts))

    def digest(self) -> str:
        """Returns a hash of rows, classes and weights."""
        digest = hashlib.sha256()
        for array in (self.rows, self.class_ids, self.weights):
            digest.update(array.tobytes())
        return digest.hexdigest()[:16]
