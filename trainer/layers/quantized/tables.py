"""Tables of vectors of 8 bits."""

from __future__ import annotations

from typing import Any

import keras
import keras_hub
import tensorflow as tf
from keras import ops

from trainer.layers.quantized.fake_quant import mark_quantized, quantize_table
from trainer.layers.quantized.twin import Twin, add_quantizer, twin_of
from trainer.layers.weighted_bag import WeightedBag


@twin_of(keras.layers.Embedding)
class QuantizedEmbedding(Twin):
    """Looks up rounded vectors."""

    def call(self, inputs: Any, reverse: bool = False) -> Any:
        if reverse:
            return super().call(inputs, reverse=True)
        vectors = tf.gather(quantize_table(self.embeddings), tf.cast(inputs, tf.int32))
        return mark_quantized(tf.cast(vectors, self.compute_dtype))


@twin_of(keras_hub.layers.PositionEmbedding)
class QuantizedPositionEmbedding(Twin):
    """Looks up rounded vectors of positions."""

    def call(self, inputs: Any, start_index: int = 0, positions: Any = None) -> Any:
        if positions is not None or start_index:
            raise ValueError("Positions other than 0, 1, 2, ... cannot be quantized.")
        vectors = quantize_table(self.position_embeddings)[: inputs.shape[-2]]
        return ops.broadcast_to(tf.cast(vectors, self.compute_dtype), ops.shape(inputs))


@twin_of(WeightedBag)
class QuantizedBag(Twin):
    """Sums rounded vectors."""

    def add_quantizers(self) -> None:
        add_quantizer(self, "output_quantizer")

    def call(self, term_ids: Any, weights: Any) -> Any:
        sums = self.sum(quantize_table(self.vectors), term_ids, weights)
        return self.output_quantizer(tf.cast(sums, self.compute_dtype))
