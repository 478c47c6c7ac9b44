"""A weighted mean whose weights depend on all modalities."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from trainer.layers.masking import mask_absent
from trainer.registry import FUSIONS


@FUSIONS.register("gated")
@keras.saving.register_keras_serializable(package="taxofuse")
class GatedFusion(keras.layers.Layer):
    """Averages modality embeddings with weights predicted from all of them.

    Args:
        projection_dim: int. Width every modality is projected to.

    Call arguments:
        embeddings: dict of name to float tensor `(batch, dim_m)`.
        present: dict of the same names to bool tensor `(batch,)`.

    Returns:
        Float tensor `(batch, projection_dim)`; zeros where a row has nothing.

    Reference:
        Arevalo et al., 2017, arXiv:1702.01992, with a softmax over the
        modalities that are present in place of independent gates.
    """

    def __init__(self, projection_dim: int = 256, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.projection_dim = projection_dim

    def build(self, embeddings_shape: dict[str, Any], present_shape: Any = None) -> None:
        self.projections = {}
        for name in sorted(embeddings_shape):
            projection = keras.layers.Dense(
                self.projection_dim,
                activation="tanh",
                name=f"project_{name}",
                dtype=self.dtype_policy,
            )
            projection.build(embeddings_shape[name])
            self.projections[name] = projection
        self.gate = keras.layers.Dense(len(embeddings_shape), name="gate", dtype=self.dtype_policy)
        self.gate.build((None, sum(shape[-1] for shape in embeddings_shape.values())))

    def call(self, embeddings: dict[str, Any], present: dict[str, Any]) -> Any:
        names = sorted(embeddings)
        masked = [mask_absent(embeddings[name], present[name]) for name in names]
        mask = ops.stack([present[name] for name in names], axis=-1)
        scores = self.gate(ops.concatenate(masked, axis=-1))
        shown = ops.cast(mask, scores.dtype)
        # Added, not put in its place: among integers of 8 bits there is no such number.
        weights = ops.softmax(scores + (shown - 1) * 1e4, axis=-1) * shown
        values = ops.stack(
            [self.projections[name](part) for name, part in zip(names, masked, strict=True)], axis=1
        )
        return ops.sum(ops.expand_dims(weights, -1) * values, axis=1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "projection_dim": self.projection_dim}
