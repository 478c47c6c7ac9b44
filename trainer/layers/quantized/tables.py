"""Tables of vectors of 8 bits."""

from __future__ import annotations

from typing import Any

import keras
import keras_hub
import numpy as np
import tensorflow as tf
from keras import ops

from trainer.layers.quantized.twin import Twin, add_quantizer, twin_of
from trainer.layers.weighted_bag import WeightedBag


class QuantizedTable(Twin):
    """Looks up rounded vectors.

    Attributes:
        for_device: bool. Writes the table into the graph as integers: converters
            keep one that is read in two places as floats.
    """

    for_device: bool = False

    def look_up(self, table: Any, take: Any) -> Any:
        """Returns some vectors.

        Args:
            table: Variable `(rows, dim)`.
            take: From a table of any type to what is wanted of it.
        """
        if not self.for_device:
            return take(self.round_table(table))
        with tf.init_scope():
            values = ops.convert_to_numpy(self.round_table(table))
        step = max(float(np.abs(values).max()), 1e-12) / 127
        codes = tf.constant(np.round(values / step).astype(np.int8))
        return tf.cast(take(codes), tf.float32) * step


@twin_of(keras.layers.Embedding, keras.layers.ReversibleEmbedding)
class QuantizedEmbedding(QuantizedTable):
    def call(self, inputs: Any, reverse: bool = False) -> Any:
        if reverse:
            return super().call(inputs, reverse=True)
        ids = tf.cast(inputs, tf.int32)
        vectors = self.look_up(self.embeddings, lambda table: tf.gather(table, ids))
        return tf.cast(vectors, self.compute_dtype)


@twin_of(keras_hub.layers.PositionEmbedding)
class QuantizedPositionEmbedding(QuantizedTable):
    def call(self, inputs: Any, start_index: int = 0, positions: Any = None) -> Any:
        if positions is not None or start_index:
            raise ValueError("Positions other than 0, 1, 2, ... cannot be quantized.")
        vectors = self.look_up(
            self.position_embeddings, lambda table: table[: ops.shape(inputs)[-2]]
        )
        return ops.broadcast_to(tf.cast(vectors, self.compute_dtype), ops.shape(inputs))


@twin_of(WeightedBag)
class QuantizedBag(QuantizedTable):
    def add_quantizers(self) -> None:
        add_quantizer(self, "output_quantizer")

    def call(self, term_ids: Any, weights: Any) -> Any:
        if self.for_device:
            sums = self.sum_gathered(term_ids, weights, self._gather)
        else:
            sums = self.sum(self.round_table(self.vectors), term_ids, weights)
        return self.output_quantizer(tf.cast(sums, self.compute_dtype))

    def _gather(self, ids: Any) -> Any:
        return self.look_up(self.vectors, lambda table: tf.gather(table, ids))
