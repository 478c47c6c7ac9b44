"""Which rows to learn from or to watch, as what, and how much each counts."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Sample:
    """Rows of a feature store with their classes.

    Args:
        rows: `(n,)` int64, positions in the store, ascending.
        class_ids: `(n,)` int32.
        weights: `(n,)` float32, how much each row counts.
        answers: What a network is to answer where that is not the class:
            shares of the classes `(n, num_classes)`, or of each of several
            outputs an array `(n, ...)` by name.
    """

    rows: np.ndarray
    class_ids: np.ndarray
    weights: np.ndarray
    answers: np.ndarray | Mapping[str, np.ndarray] | None = None

    def __post_init__(self) -> None:
        sizes = [len(self.rows), len(self.class_ids), len(self.weights)]
        if len(set(sizes)) > 1:
            raise ValueError(f"Every row needs a class and a weight. Received: sizes {sizes}.")
        if (np.diff(self.rows) <= 0).any():
            raise ValueError("The rows of a sample must be ascending, none twice.")

    @classmethod
    def of(
        cls,
        rows: np.ndarray,
        class_ids: np.ndarray,
        weights: np.ndarray | None = None,
        answers: np.ndarray | None = None,
    ) -> Sample:
        """Makes a sample of rows in any order, which by default count the same."""
        order = np.argsort(rows, kind="stable")
        if weights is None:
            weights = np.ones(len(rows))
        return cls(
            np.asarray(rows, np.int64)[order],
            np.asarray(class_ids, np.int32)[order],
            np.asarray(weights, np.float32)[order],
            None if answers is None else np.asarray(answers, np.float32)[order],
        )

    def __len__(self) -> int:
        return len(self.rows)

    def targets(self, taken: Any = slice(None)) -> Any:
        """Returns what a network is to answer, of all rows or of those at some positions."""
        if isinstance(self.answers, Mapping):
            return {name: values[taken] for name, values in self.answers.items()}
        return (self.class_ids if self.answers is None else self.answers)[taken]

    def __add__(self, other: Sample) -> Sample:
        answers = None
        if own := [of.answers for of in (self, other) if of.answers is not None]:
            if any(isinstance(of, Mapping) for of in own):
                raise ValueError("Samples with answers of several outputs cannot be added.")
            sure = np.eye(own[0].shape[1], dtype=np.float32)
            answers = np.concatenate(
                [sure[of.class_ids] if of.answers is None else of.answers for of in (self, other)]
            )
        parts = zip(
            (self.rows, self.class_ids, self.weights),
            (other.rows, other.class_ids, other.weights),
            strict=True,
        )
        return Sample.of(*map(np.concatenate, parts), answers=answers)

    def digest(self) -> str:
        """Returns a hash of rows, classes, weights and answers."""
        digest = hashlib.sha256()
        targets = self.targets()
        answers = targets.values() if isinstance(targets, dict) else [targets]
        for array in (self.rows, self.class_ids, self.weights, *answers):
            digest.update(array.tobytes())
        return digest.hexdigest()[:16]
