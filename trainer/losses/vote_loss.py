"""What all losses share: votes, offsets, smoothing, class ids and soft targets."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops


class VoteLoss(keras.losses.Loss, abc.ABC):
    """Base of the losses: what it costs to give a class its score, averaged over the target.

    A subclass says what a score costs, in a file of its own in this package,
    with `@LOSSES.register("name")` and `register_keras_serializable`.

    Args:
        label_smoothing: float in [0, 1). Part of the target that is spread
            evenly. Keras smooths only one-hot targets, which for thousands of
            classes are larger than the products.
        logit_offsets: `(num_classes,)` floats that are added to the logits here
            and only here, or `None`. With the logarithms of the classes'
            shares, times a strength, a rare class must be answered with a
            larger margin in training, and is answered more often afterwards.

    Call arguments:
        y_true: tensor `(batch,)` or `(batch, 1)`, class ids; or `(batch,
            num_classes)`, shares of the classes in each row, which sum to 1.
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
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.label_smoothing = label_smoothing
        self.logit_offsets = None if logit_offsets is None else [float(x) for x in logit_offsets]

    @abc.abstractmethod
    def cost(self, log_scores: Any) -> Any:
        """Returns what each score would cost if its class were the true one.

        Args:
            log_scores: float32 tensor of any shape, logarithms of probabilities.
        """

    def call(self, y_true: Any, y_pred: Any) -> Any:
        if len(y_pred.shape) == 2:
            y_pred = ops.expand_dims(y_pred, 1)
        logits = ops.cast(y_pred, "float32")
        if self.logit_offsets is not None:
            logits = logits + ops.convert_to_tensor(self.logit_offsets, "float32")
        costs = self.cost(ops.log_softmax(logits, axis=-1))
        if is_soft(y_true):
            own = ops.sum(ops.cast(y_true, "float32")[:, None] * costs, axis=-1)
        else:
            y_true = ops.cast(ops.reshape(y_true, [-1, 1, 1]), "int32")
            y_true = ops.broadcast_to(y_true, (*ops.shape(costs)[:2], 1))
            own = ops.take_along_axis(costs, y_true, axis=-1)[..., 0]
        smoothing = self.label_smoothing
        losses = (1 - smoothing) * own + smoothing * ops.mean(costs, axis=-1)
        return ops.mean(losses, axis=-1)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "label_smoothing": self.label_smoothing,
            "logit_offsets": self.logit_offsets,
        }


def is_soft(y_true: Any) -> bool:
    """Says whether targets are shares of the classes `(batch, num_classes)`, not class ids."""
    return len(y_true.shape) == 2 and y_true.shape[1] != 1
