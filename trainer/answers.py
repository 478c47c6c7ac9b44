"""What a classifier said about the rows of a table, and the table that is written of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from trainer.data.labels import join_label, split_label

OK = "ok"
"""The status of a row without problems."""


def join_status(problems: Sequence[str], told: str) -> str:
    """Returns the status of a row: what its cells had wrong, then what the model found."""
    return "; ".join([*problems, *([] if told == OK else [told])]) or OK


def check_sure(min_confidence: float) -> None:
    """Raises ValueError where two answers could both be as probable as that."""
    if not 0.5 < min_confidence <= 1:
        raise ValueError(
            "The confidence to be sure must be above 0.5, so that no two answers reach it, "
            f"and at most 1. Received: {min_confidence}."
        )


@dataclass(frozen=True, eq=False)
class Answers:
    """What a classifier said about the rows of a table, in their order.

    Args:
        ids: Name of each row; names may repeat.
        class_names: `(num_classes,)` labels, the levels of a path joined by `" > "`.
        scores: float array `(rows, num_classes)`, probabilities.
        present: By input name, bool array `(rows,)`: did the row have it?
        status: `"ok"` a row, or its problems joined by `"; "`.

    Raises:
        ValueError: where the lengths do not agree, a class is named twice, or
            a score is not a finite number.
    """

    ids: list[str]
    class_names: list[str]
    scores: np.ndarray
    present: dict[str, np.ndarray]
    status: list[str]

    def __post_init__(self) -> None:
        if not self.class_names or len(set(self.class_names)) != len(self.class_names):
            raise ValueError(
                "`class_names` must be at least one name, none of them twice. "
                f"Received: class_names={self.class_names!r}."
            )
        rows = len(self.ids)
        expected = (rows, len(self.class_names))
        if self.scores.shape != expected:
            raise ValueError(
                f"`scores` must be shaped (rows, num_classes) = {expected}. "
                f"Received: shape {self.scores.shape}."
            )
        columns: dict[str, Sequence[object] | np.ndarray] = {**self.present, "status": self.status}
        for name, values in columns.items():
            if len(values) != rows:
                raise ValueError(
                    f"`{name}` must have one value for each of {rows} rows. "
                    f"Received: {len(values)} values."
                )
        # argmax would answer the first NaN as if it were the best class.
        broken = np.flatnonzero(~np.isfinite(self.scores).all(axis=1))
        if broken.size:
            raise ValueError(
                f"Scores must be finite. {broken.size} of {rows} rows have others, first the row "
                f"with id {self.ids[broken[0]]!r}: the model's weights or inputs hold NaN."
            )

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def class_ids(self) -> np.ndarray:
        """Index of the answered class, int array `(rows,)`; the first one of equals."""
        return np.argmax(self.scores, axis=1)

    @property
    def labels(self) -> list[str]:
        """The answered class of each row: always one of `class_names`, so a valid path."""
        return [self.class_names[index] for index in self.class_ids]

    @property
    def confidence(self) -> np.ndarray:
        """Probability of the answered class, float array `(rows,)`."""
        return self.scores.max(axis=1)

    def level_labels(self, level: int) -> list[str]:
        """Returns the answers' label on one level alone.

        Args:
            level: int. 0 is the top.

        Returns:
            One label a row; `""` where the answered path ends above that level.
        """
        paths = [split_label(name) for name in self.class_names]
        names = [path[level] if level < len(path) else "" for path in paths]
        return [names[index] for index in self.class_ids]

    def sure_labels(self, min_confidence: float) -> list[str]:
        """Returns for each row the deepest part of a path that is probable enough.

        A class of the taxonomy is as probable as all that is below it; where
        the leaf is in doubt, its parent may still be sure.

        Args:
            min_confidence: float in (0.5, 1]. Above one half, only one path
                can be meant.

        Returns:
            A path or the upper part of one; `""` where not even the top is sure.
        """
        check_sure(min_confidence)
        paths = [split_label(name) for name in self.class_names]
        sure = [""] * len(self)
        for depth in range(1, max(map(len, paths)) + 1):
            names = [join_label(path[:depth]) for path in paths]
            nodes, node_of = np.unique(names, return_inverse=True)
            members = csr_matrix((np.ones(len(names)), (np.arange(len(names)), node_of)))
            scores = self.scores @ members
            best = scores.argmax(axis=1)
            for row in np.flatnonzero(scores.max(axis=1) >= min_confidence):
                sure[row] = str(nodes[best[row]])
        return sure

    def take(self, rows: Sequence[int] | np.ndarray) -> Answers:
        """Returns the answers about some rows, given by index."""
        rows = np.asarray(rows, dtype=int)
        return Answers(
            ids=[self.ids[row] for row in rows],
            class_names=self.class_names,
            scores=self.scores[rows],
            present={name: np.asarray(flags)[rows] for name, flags in self.present.items()},
            status=[self.status[row] for row in rows],
        )

    def to_frame(
        self, level_names: Sequence[str] = (), min_confidence: float = 0.0
    ) -> pd.DataFrame:
        """Returns the table that `predict` writes: one row a row, in order.

        Args:
            level_names: Label columns from the top down. Two or more of them
                add one column each, named like it, or `level_<name>` where
                the table has a column of that name already.
            min_confidence: float. Adds a column `sure_label`, see `sure_labels`.

        Returns:
            Columns `id, label, confidence, status`, then the levels, then
            `sure_label`.
        """
        columns: dict[str, object] = {
            "id": self.ids,
            "label": self.labels,
            "confidence": self.confidence,
            "status": self.status,
        }
        if len(level_names) > 1:
            for level, name in enumerate(level_names):
                free = f"level_{name}" if name in columns else name
                columns[free] = self.level_labels(level)
        if min_confidence:
            columns["sure_label"] = self.sure_labels(min_confidence)
        return pd.DataFrame(columns)
