"""Cross-entropy from class ids with label smoothing, for one vote or several."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="taxofuse")
class SmoothedCrossentropy(keras.losses.Loss):
    """Cross-entropy of logits against class ids, part of the target spread evenly.

    Keras smooths only one-hot targets, which for thousands of classes are
    larger than the products.

    Args:
        label_smoothing: float in [0, 1).

    Call arguments:
        y_true: int tensor `(batch,)` or `(batch, 1)`, class ids.
        y_pred: float tensor `(batch, num_classes)`, logits, or `(batch,
            num_votes, num_classes)`; the loss of several votes is their mean.

    Reference:
        Szegedy et al., 2016, arXiv:1512.00567.
    """

    def __init__(
        self, label_smoothing: float = 0.0, name: str = "crossentropy", **kwargs: Any
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.label_smoothing = label_smoothing

    def call(self, y_true: Any, y_pred: Any) -> Any:
        if len(y_pred.shape) == 2:
            y_pred = ops.expand_dims(y_pred, 1)
        log_scores = ops.log_softmax(ops.cast(y_pred, "float32"), axis=-1)
        y_true = ops.cast(ops.reshape(y_true, [-1, 1, 1]), "int32")
        y_true = ops.broadcast_to(y_true, (*ops.shape(log_scores)[:2], 1))
        own = ops.take_along_axis(log_scores, y_true, axis=-1)[..., 0]
        smoothing = self.label_smoothing
        losses = -(1 - smoothing) * own - smoothing * ops.mean(log_scores, axis=-1)
        return ops.mean(losses, axis=-1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "label_smoothing": self.label_smoothing}
