"""Rows that lack a modality."""

from __future__ import annotations

from typing import Any

from keras import ops


def mask_absent(embedding: Any, present: Any) -> Any:
    """Sets the embeddings of rows that lack the modality to zero.

    Args:
        embedding: float tensor `(batch, dim)`. May be anything, even NaN,
            where the modality is absent.
        present: bool tensor `(batch,)`.

    Returns:
        Float tensor `(batch, dim)`.
    """
    return ops.where(ops.expand_dims(present, -1), embedding, ops.zeros_like(embedding))
