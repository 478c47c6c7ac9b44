"""A matrix product with rows that are mostly zero."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="taxofuse")
class WeightedBag(keras.layers.Layer):
    """Sums the vectors of the terms that a row has, times their weights.

    The same function as a dense layer on a row of the document-term matrix,
    without ever making that row.

    Args:
        num_terms: int. Size of the vocabulary.
        dim: int. Width of a vector.

    Call arguments:
        term_ids: int tensor `(batch, terms)`, padded with any valid id.
        weights: float tensor `(batch, terms)`; 0 marks padding.

    Returns:
        Float tensor `(batch, dim)`; zeros where a row has no terms.

    Attributes:
        for_device: bool. Computes without sparse tensors, which devices do not
            know: one vector for each term and row at a time.
    """

    for_device: bool = False

    def __init__(self, num_terms: int, dim: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.num_terms = num_terms
        self.dim = dim

    def build(self, *_: Any) -> None:
        self.vectors = self.add_weight(
            name="vectors", shape=(self.num_terms, self.dim), initializer="zeros"
        )

    def call(self, term_ids: Any, weights: Any) -> Any:
        return tf.cast(self.sum(self.vectors, term_ids, weights), self.compute_dtype)

    def sum(self, table: Any, term_ids: Any, weights: Any) -> Any:
        """Returns float32 `(batch, dim)`: the weighted sums of some rows of a table."""
        table = tf.cast(table, tf.float32)
        if self.for_device:
            return self.sum_gathered(term_ids, weights, lambda ids: tf.gather(table, ids))
        # To gather the vectors first would take gigabytes for a batch of long texts.
        filled = tf.where(weights != 0)
        columns = tf.cast(tf.gather_nd(term_ids, filled), tf.int64)
        rows = tf.SparseTensor(
            tf.stack([filled[:, 0], columns], axis=1),
            tf.cast(tf.gather_nd(weights, filled), tf.float32),
            tf.cast([tf.shape(weights)[0], self.num_terms], tf.int64),
        )
        product = tf.sparse.sparse_dense_matmul(rows, table)
        return tf.ensure_shape(product, [None, self.dim])

    def sum_gathered(self, term_ids: Any, weights: Any, gather: Callable[[Any], Any]) -> Any:
        """Returns the same by way of one vector for each term of each row."""
        # Interpreters stumble over tensors without elements, such as those of an empty text.
        more = [[0, 0], [0, 1]]
        vectors = gather(tf.pad(term_ids, more))
        return tf.matmul(tf.pad(weights, more)[:, None], vectors)[:, 0]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_terms": self.num_terms, "dim": self.dim}
