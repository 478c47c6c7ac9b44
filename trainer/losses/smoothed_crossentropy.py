"""Cross-entropy from class ids, for one vote or several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="taxofuse")
class SmoothedCrossentropy(keras.losses.Loss):
    """Cross-entropy of logits against class ids, smoothed and adjusted for rare classes.

    Keras smooths only one-hot targets, which for thousands of classes are
    larger than the products.

    Args:
        label_smoothing: float in [0, 1). Part of the target that is spread evenly.
        logit_offsets: `(num_classes,)` floats that are added to the logits here
            and only here, or `None`. With the logarithms of the classes'
            shares, times a strength, a rare class must be answered with a
            larger margin in training, and is answered more often afterwards.

    Call arguments:
        y_true: int tensor `(batch,)` or `(batch, 1)`, class ids.
        y_pred: float tensor `(batch, num_classes)`, logits, or `(batch,
            num_votes, num_classes)`; the loss of several votes is their mean.

    Reference:
        Szegedy et al., 2016, arXiv:1512.00567; Menon et al., 2021, "Long-tail
        learning via logit adjustment", arXiv:2007.07314.
    """

    def __init__(
        self,
        label_smoothing: float = 0.0,
        logit_offsets: Sequence[float] | None = None,
        name: str = "crossentropy",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.label_smoothing = label_smoothing
        self.logit_offsets = None if logit_offsets is None else [float(x) for x in logit_offsets]

    def call(self, y_true: Any, y_pred: Any) -> Any:
        if len(y_pred.shape) == 2:
            y_pred = ops.expand_dims(y_pred, 1)
        logits = ops.cast(y_pred, "float32")
        if self.logit_offsets is not None:
            logits = logits + ops.convert_to_tensor(self.logit_offsets, "float32")
        log_scores = ops.log_softmax(logits, axis=-1)
        y_true = ops.cast(ops.reshape(y_true, [-1, 1, 1]), "int32")
        y_true = ops.broadcast_to(y_true, (*ops.shape(log_scores)[:2], 1))
        own = ops.take_along_axis(log_scores, y_true, axis=-1)[..., 0]
        smoothing = self.label_smoothing
        losses = -(1 - smoothing) * own - smoothing * ops.mean(log_scores, axis=-1)
        return ops.mean(losses, axis=-1)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "label_smoothing": self.label_smoothing,
            "logit_offsets": self.logit_offsets,
        }
