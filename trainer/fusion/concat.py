"""Side by side."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from trainer.layers.masking import mask_absent
from trainer.registry import FUSIONS


@FUSIONS.register("concat")
@keras.saving.register_keras_serializable(package="taxofuse")
class ConcatFusion(keras.layers.Layer):
    """Puts embeddings side by side, zeros for absent modalities.

    With a linear head: every modality votes for itself. The fewest
    parameters, and on small catalogues hard to beat.

    Args:
        projection_dim: int. Width every embedding is projected to first; 0
            leaves them as they are.

    Call arguments:
        embeddings: dict of name to float tensor `(batch, dim_m)`.
        present: dict of the same names to bool tensor `(batch,)`.

    Returns:
        Float tensor `(batch, sum of the widths)`.
    """

    def __init__(self, projection_dim: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.projection_dim = projection_dim

    def build(self, embeddings_shape: dict[str, Any], present_shape: Any = None) -> None:
        self.projections = {}
        for name in sorted(embeddings_shape) if self.projection_dim else ():
            projection = keras.layers.Dense(
                self.projection_dim, name=f"project_{name}", dtype=self.dtype_policy
            )
            projection.build(embeddings_shape[name])
            self.projections[name] = projection

    def call(self, embeddings: dict[str, Any], present: dict[str, Any]) -> Any:
        parts = []
        for name in sorted(embeddings):
            project = self.projections.get(name)
            part = project(embeddings[name]) if project else embeddings[name]
            parts.append(mask_absent(part, present[name]))
        return ops.concatenate(parts, axis=-1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "projection_dim": self.projection_dim}
