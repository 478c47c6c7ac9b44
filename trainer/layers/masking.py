"""Rows that lack something."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


def mask_absent(embedding: Any, present: Any) -> Any:
    """Sets the embeddings of rows that lack the modality to zero.

    Args:
        embedding: float tensor `(..., dim)`. May be anything, even NaN, where
            the modality is absent.
        present: bool tensor `(...)`.

    Returns:
        Float tensor `(..., dim)`.
    """
    return ops.where(ops.expand_dims(present, -1), embedding, ops.zeros_like(embedding))


def mask_losses(losses: Any, mask: Any) -> Any:
    """Makes the mean over a batch the mean over some of its rows.

    Args:
        losses: float tensor `(batch,)`. May be anything, but not NaN, elsewhere.
        mask: bool tensor `(batch,)`, the rows that count.

    Returns:
        Float tensor `(batch,)`; all zeros where no row counts.
    """
    counted = ops.cast(mask, losses.dtype)
    return losses * counted / ops.maximum(ops.mean(counted), keras.config.epsilon())
