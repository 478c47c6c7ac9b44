"""Products of one class brought together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from trainer.layers.masking import mask_losses
from trainer.objectives.objective import Objective
from trainer.preprocessing import Branch
from trainer.registry import OBJECTIVES


@OBJECTIVES.register("supervised_contrastive")
class SupervisedContrastive(Objective):
    """Draws the fused embeddings of a class together, and away from those of others.

    Batches should have several rows of most classes.

    Args:
        weight: float.
        projection_dim: int. Width of the space in which embeddings are compared.
        temperature: float above 0, by which cosines are divided.

    Reference:
        Khosla et al., 2020, arXiv:2004.11362, `L_out`, with a linear
        projection, together with the votes rather than before them, and one
        view of each row.
    """

    def __init__(
        self, weight: float = 0.1, projection_dim: int = 128, temperature: float = 0.1
    ) -> None:
        super().__init__(weight)
        self.projection_dim = projection_dim
        self.temperature = temperature

    def build(self, votes: keras.Model, branches: Sequence[Branch]) -> dict[str, Any]:
        project = keras.layers.Dense(
            self.projection_dim, use_bias=False, dtype="float32", name="class_projection"
        )
        fused = votes.get_layer("fused_dropout").output
        return {"supervised_contrastive": ops.normalize(project(fused), axis=-1)}

    def losses(self) -> dict[str, keras.losses.Loss]:
        return {"supervised_contrastive": SupConLoss(self.temperature)}


@keras.saving.register_keras_serializable(package="taxofuse")
class SupConLoss(keras.losses.Loss):
    """Mean cross-entropy of finding a row of the same class among the other rows of the batch.

    Args:
        temperature: float.

    Call arguments:
        y_true: int tensor `(batch,)`, class ids.
        y_pred: float tensor `(batch, dim)`, of length 1. Rows of zeros are
            left out, and rows that are alone in their class count as others only.
    """

    def __init__(self, temperature: float = 0.1, name: str = "supcon", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.temperature = temperature

    def call(self, y_true: Any, y_pred: Any) -> Any:
        there = ops.any(ops.not_equal(y_pred, 0), axis=-1)
        rows = ops.arange(ops.shape(y_pred)[0])
        others = ops.logical_and(there[None], ops.not_equal(rows[:, None], rows[None]))
        logits = ops.matmul(y_pred, ops.transpose(y_pred)) / self.temperature
        logits = ops.where(others, logits, ops.full_like(logits, -1e9))
        same = ops.logical_and(ops.equal(y_true[:, None], y_true[None]), others)
        same = ops.cast(same, logits.dtype)
        friends = ops.sum(same, axis=1)
        found = ops.sum(same * ops.log_softmax(logits, axis=1), axis=1)
        has_friends = ops.logical_and(there, friends > 0)
        return mask_losses(-found / ops.maximum(friends, 1), has_friends)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "temperature": self.temperature}
