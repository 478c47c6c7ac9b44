"""Attention whose two products are of values of 8 bits."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from trainer.layers.prefix_block import PrefixAttention
from trainer.layers.quantized.fake_quant import mark_as
from trainer.layers.quantized.twin import Twin, add_quantizer, twin_of

# By how much what is masked loses against all else; half floats know it, too.
_MASKED = 1e4


@twin_of(keras.layers.MultiHeadAttention)
class QuantizedAttention(Twin):
    """Rounds queries, keys, values, scores and shares; mask and softmax stay float."""

    def add_quantizers(self) -> None:
        for name in ("query", "key", "value", "score", "context"):
            add_quantizer(self, f"{name}_quantizer")
        add_quantizer(self, "share_quantizer", fixed=(0.0, 1.0))

    def _compute_attention(
        self,
        query: Any,
        key: Any,
        value: Any,
        attention_mask: Any = None,
        training: bool | None = None,
        return_attention_scores: bool = False,
    ) -> tuple[Any, Any]:
        if isinstance(self, PrefixAttention):
            key, value, attention_mask = self.prepend(key, value, attention_mask)
        query = self.query_quantizer(query)
        key = self.key_quantizer(key)
        value = self.value_quantizer(value)
        # (batch, heads, tokens, head_dim)
        query, key, value = (ops.transpose(of, (0, 2, 1, 3)) for of in (query, key, value))
        scores = self.score_quantizer(ops.matmul(query, ops.transpose(key, (0, 1, 3, 2))))
        scores = scores * ops.cast(self._inverse_sqrt_key_dim, scores.dtype)
        if attention_mask is not None:
            mask = ops.cast(attention_mask, scores.dtype)
            if len(mask.shape) == 3:
                mask = mask[:, None]
            scores = scores + (mask - 1) * _MASKED
        shares = ops.softmax(scores, axis=-1)
        dropped = self._dropout_layer(shares) if self._dropout else shares
        dropped = self.share_quantizer(dropped)
        context = self.context_quantizer(ops.matmul(dropped, value))
        return mark_as(context, ops.transpose(context, (0, 2, 1, 3))), shares
