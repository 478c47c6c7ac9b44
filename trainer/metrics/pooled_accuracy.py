"""Accuracy of several votes taken together."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from trainer.losses.vote_loss import is_soft


@keras.saving.register_keras_serializable(package="taxofuse")
class PooledAccuracy(keras.metrics.SparseCategoricalAccuracy):
    """Share of rows where the mean of all votes puts the true class first.

    Call arguments:
        y_true: tensor `(batch,)`, class ids, or soft targets `(batch,
            num_classes)`, whose largest is the true class.
        y_pred: float tensor `(batch, num_votes, num_classes)`.
    """

    def __init__(self, name: str = "accuracy", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        if is_soft(y_true):
            y_true = ops.argmax(y_true, axis=-1)
        return super().update_state(y_true, ops.mean(y_pred, axis=1), sample_weight)
