"""Other columns that are known in training, such as the brand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from trainer.objectives.objective import Objective
from trainer.preprocessing import Branch
from trainer.registry import OBJECTIVES
from trainer.sample import Sample

_MASKED = -1


@OBJECTIVES.register("labels")
class Labels(Objective):
    """Asks the fused embedding for the values of columns, each by a linear layer and softmax.

    Args:
        weight: float.
        columns: Names. They are no inputs, and not needed for predictions.
        min_rows: int. Rows whose value has fewer training rows, or that have
            none, are left out.

    Reference:
        Caruana, 1997, "Multitask learning".
    """

    def __init__(self, weight: float = 0.3, columns: Sequence[str] = (), min_rows: int = 5) -> None:
        super().__init__(weight)
        if isinstance(columns, str) or not columns:
            raise ValueError(
                "train.objectives.labels needs a list of columns such as ['brand']. "
                f"Received: columns={columns!r}."
            )
        self.columns = tuple(columns)
        self.min_rows = min_rows
        self._ids: dict[str, dict[str, int]] = {}

    def adapt(self, values: Mapping[str, np.ndarray]) -> None:
        for name in self.columns:
            counts = Counter(values[name].tolist())
            known = sorted(v for v, rows in counts.items() if v and rows >= self.min_rows)
            if len(known) < 2:
                raise ValueError(
                    f"Column {name!r} of train.objectives.labels must have at least two values of "
                    f"{self.min_rows} training rows or more each. Received: values {known}."
                )
            self._ids[name] = {value: index for index, value in enumerate(known)}

    def build(self, votes: keras.Model, branches: Sequence[Branch]) -> dict[str, Any]:
        fused = votes.get_layer("fused_dropout").output
        return {
            f"label_{name}": keras.layers.Dense(len(ids), dtype="float32", name=f"label_{i}")(fused)
            for i, (name, ids) in enumerate(self._ids.items())
        }

    def losses(self) -> dict[str, keras.losses.Loss]:
        return {
            f"label_{name}": keras.losses.SparseCategoricalCrossentropy(
                from_logits=True, ignore_class=_MASKED
            )
            for name in self.columns
        }

    def targets(self, sample: Sample, values: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {
            f"label_{name}": np.array([ids.get(v, _MASKED) for v in values[name]], np.int32)
            for name, ids in self._ids.items()
        }
