"""Modalities as tokens that attend to each other."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from trainer.layers.masking import mask_absent
from trainer.registry import FUSIONS


@FUSIONS.register("cross_attention")
@keras.saving.register_keras_serializable(package="taxofuse")
class CrossAttentionFusion(keras.layers.Layer):
    """Lets each modality look at the others in one transformer block, then averages.

    Args:
        projection_dim: int. Width of a modality token.
        num_heads: int. Must divide `projection_dim`.
        dropout: float. On the attention weights and the feed-forward output.

    Call arguments:
        embeddings: dict of name to float tensor `(batch, dim_m)`.
        present: dict of the same names to bool tensor `(batch,)`; absent
            modalities are neither attended to nor averaged.

    Returns:
        Float tensor `(batch, projection_dim)`; zeros where a row has nothing.

    Reference:
        Tsai et al., 2019, arXiv:1906.00295, with one token a modality, so that
        attention across all of them is one block.
    """

    def __init__(
        self, projection_dim: int = 256, num_heads: int = 4, dropout: float = 0.1, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if projection_dim % num_heads:
            raise ValueError(
                "`num_heads` must divide `projection_dim`. "
                f"Received: projection_dim={projection_dim}, num_heads={num_heads}."
            )
        self.projection_dim = projection_dim
        self.num_heads = num_heads
        self.dropout = dropout

    def build(self, embeddings_shape: dict[str, Any], present_shape: Any = None) -> None:
        dim = self.projection_dim
        self.projections = {}
        for name in sorted(embeddings_shape):
            # The bias of its projection tells a modality's token from the others.
            projection = keras.layers.Dense(dim, name=f"project_{name}", dtype=self.dtype_policy)
            projection.build(embeddings_shape[name])
            self.projections[name] = projection
        tokens_shape = (None, len(embeddings_shape), dim)
        self.attention = keras.layers.MultiHeadAttention(
            self.num_heads,
            dim // self.num_heads,
            dropout=self.dropout,
            name="attention",
            dtype=self.dtype_policy,
        )
        self.attention.build(tokens_shape, tokens_shape)
        self.widen = keras.layers.Dense(
            2 * dim, activation="gelu", name="widen", dtype=self.dtype_policy
        )
        self.widen.build(tokens_shape)
        self.narrow = keras.layers.Dense(dim, name="narrow", dtype=self.dtype_policy)
        self.narrow.build((None, None, 2 * dim))
        self.drop = keras.layers.Dropout(self.dropout, name="drop", dtype=self.dtype_policy)
        self.norms = [
            keras.layers.LayerNormalization(name=f"norm_{i}", dtype=self.dtype_policy)
            for i in range(3)
        ]
        for norm in self.norms:
            norm.build(tokens_shape)

    def call(
        self, embeddings: dict[str, Any], present: dict[str, Any], training: bool | None = None
    ) -> Any:
        names = sorted(embeddings)
        tokens = ops.stack(
            [
                self.projections[name](mask_absent(embeddings[name], present[name]))
                for name in names
            ],
            axis=1,
        )
        mask = ops.stack([present[name] for name in names], axis=-1)
        normed = self.norms[0](tokens)
        tokens += self.attention(
            normed, normed, attention_mask=ops.expand_dims(mask, 1), training=training
        )
        wide = self.narrow(self.widen(self.norms[1](tokens)))
        tokens = self.norms[2](tokens + self.drop(wide, training=training))
        shares = ops.cast(mask, tokens.dtype)
        total = ops.sum(tokens * ops.expand_dims(shares, -1), axis=1)
        # A row without any modality: divide by 1, not 0, to avoid NaN.
        return total / ops.maximum(ops.sum(shares, axis=1, keepdims=True), 1)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "projection_dim": self.projection_dim,
            "num_heads": self.num_heads,
            "dropout": self.dropout,
        }
