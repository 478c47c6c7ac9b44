"""Pictures and texts of the same product brought together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from trainer.layers.masking import mask_absent, mask_losses
from trainer.objectives.objective import Objective
from trainer.preprocessing import Branch, present_name
from trainer.registry import OBJECTIVES

_MAX_SCALE = 100.0


@OBJECTIVES.register("contrastive")
class Contrastive(Objective):
    """Asks which text of the batch belongs to a picture, and which picture to a text.

    Each side is all branches of its modality, as the fusion projects them
    where it does. Rows that lack a side take no part.

    Args:
        weight: float.
        modalities: Kinds of the two sides.
        projection_dim: int. Width of the space in which they meet.
        temperature: float above 0, of the softmax at the beginning; it is learned.

    Reference:
        Radford et al., 2021, CLIP, arXiv:2103.00020.
    """

    def __init__(
        self,
        weight: float = 0.1,
        modalities: Sequence[str] = ("image", "text"),
        projection_dim: int = 128,
        temperature: float = 0.07,
    ) -> None:
        super().__init__(weight)
        if len(set(modalities)) != 2:
            raise ValueError(f"`modalities` must be two. Received: modalities={modalities}.")
        self.modalities = tuple(modalities)
        self.projection_dim = projection_dim
        self.temperature = temperature

    def build(self, votes: keras.Model, branches: Sequence[Branch]) -> dict[str, Any]:
        sides, presences = zip(
            *(_side(votes, branches, kind) for kind in self.modalities), strict=True
        )
        meet = Meeting(self.projection_dim, self.temperature, dtype="float32", name="meeting")
        return {"contrastive": meet(list(sides), ops.logical_and(*presences))}

    def losses(self) -> dict[str, keras.losses.Loss]:
        return {"contrastive": InfoNCE()}


def _side(votes: keras.Model, branches: Sequence[Branch], kind: str) -> tuple[Any, Any]:
    """Returns the embeddings of a modality side by side `(batch, width)`, and who has one."""
    scale = votes.get_layer("embedding_scale")
    projections = getattr(votes.get_layer("fusion"), "projections", {})
    parts, presences = [], []
    for branch in branches:
        if branch.input.kind == kind:
            present = votes.input[present_name(branch.input.name)]
            embedding = mask_absent(scale(votes.input[branch.name]), present)
            if branch.name in projections:
                embedding = mask_absent(projections[branch.name](embedding), present)
            parts.append(embedding)
            presences.append(present)
    if not parts:
        kinds = sorted({branch.input.kind for branch in branches})
        raise ValueError(
            f"train.objectives.contrastive needs inputs of two modalities; none is of kind "
            f"{kind!r}. Received: inputs of kinds {kinds}."
        )
    return ops.concatenate(parts, axis=-1), ops.any(ops.stack(presences, axis=1), axis=1)


@keras.saving.register_keras_serializable(package="taxofuse")
class Meeting(keras.layers.Layer):
    """Projects two embeddings linearly into one space, to a length that is learned.

    Args:
        projection_dim: int.
        temperature: float. Dot products of two projections are cosines
            divided by it, at the beginning.

    Call arguments:
        sides: list of two float tensors `(batch, width)`.
        present: bool tensor `(batch,)`.

    Returns:
        Float tensor `(batch, 2, projection_dim)`; zeros where not present.
    """

    def __init__(self, projection_dim: int, temperature: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.projection_dim = projection_dim
        self.temperature = temperature

    def build(self, sides_shape: list[Any], present_shape: Any = None) -> None:
        self.kernels = [
            self.add_weight(
                name=f"kernel_{index}",
                shape=(shape[-1], self.projection_dim),
                initializer="glorot_uniform",
            )
            for index, shape in enumerate(sides_shape)
        ]
        self.log_scale = self.add_weight(
            name="log_scale",
            shape=(),
            initializer=keras.initializers.Constant(-math.log(self.temperature)),
        )

    def call(self, sides: list[Any], present: Any) -> Any:
        pairs = ops.stack(
            [
                ops.normalize(ops.matmul(side, kernel), axis=-1)
                for side, kernel in zip(sides, self.kernels, strict=True)
            ],
            axis=1,
        )
        length = ops.sqrt(ops.minimum(ops.exp(self.log_scale), _MAX_SCALE))
        return ops.where(present[:, None, None], length * pairs, ops.zeros_like(pairs))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "projection_dim": self.projection_dim,
            "temperature": self.temperature,
        }


@keras.saving.register_keras_serializable(package="taxofuse")
class InfoNCE(keras.losses.Loss):
    """Mean cross-entropy of finding the one side of a pair among those of the batch by the other.

    Call arguments:
        y_true: not read: the pairs are their own labels.
        y_pred: float tensor `(batch, 2, dim)`. Rows of zeros are no pairs.
    """

    def call(self, y_true: Any, y_pred: Any) -> Any:
        paired = ops.any(ops.not_equal(y_pred[:, 0], 0), axis=-1)
        logits = ops.matmul(y_pred[:, 0], ops.transpose(y_pred[:, 1]))
        both = ops.logical_and(paired[:, None], paired[None])
        logits = ops.where(both, logits, ops.full_like(logits, -1e9))
        log_scores = ops.log_softmax(logits, axis=0) + ops.log_softmax(logits, axis=1)
        return mask_losses(-ops.diagonal(log_scores) / 2, paired)
