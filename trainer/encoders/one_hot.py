"""Categories as one of the values seen in training."""

from __future__ import annotations

from collections import Counter
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from trainer.encoders.encoder import Encoder
from trainer.registry import ENCODERS


@ENCODERS.register("one_hot")
class OneHotEncoder(Encoder):
    """Embeds a category as a unit vector; values not seen in training share one.

    Args:
        name: str.
        tuning: `"frozen"` only: there is nothing to train.
        max_values: int. The most frequent values are kept.
        min_rows: int. Values of fewer training rows count as not seen.
    """

    modality = "category"
    adapts = True

    def __init__(
        self, name: str, tuning: str = "frozen", max_values: int = 1_000, min_rows: int = 2
    ) -> None:
        super().__init__(name, tuning)
        self.max_values = max_values
        self.min_rows = min_rows
        self._values: list[str] = []

    def adapt(self, values: np.ndarray) -> None:
        counts = Counter(bytes(value).decode("utf-8", "replace") for value in values if value)
        kept = sorted((-rows, value) for value, rows in counts.items() if rows >= self.min_rows)
        self._values = [value for _, value in kept[: self.max_values]]

    def get_state(self) -> dict[str, Any]:
        return {"values": self._values}

    def set_state(self, state: dict[str, Any]) -> None:
        self._values = state["values"]

    def input_specs(self) -> dict[str, tf.TensorSpec]:
        return {f"{self.name}_value_id": tf.TensorSpec([], tf.int32)}

    def preprocess(self, values: tf.Tensor) -> dict[str, tf.Tensor]:
        # Compared rather than looked up: at most a thousand values, and no table to keep.
        matches = tf.equal(values[:, None], tf.constant(["", *self._values], tf.string))
        last = tf.fill([tf.shape(values)[0], 1], True)
        first = tf.argmax(tf.concat([matches[:, 1:], last], axis=1), axis=1, output_type=tf.int32)
        return {f"{self.name}_value_id": first}

    def build(self) -> keras.Model:
        value_id = keras.Input([], dtype="int32", name=f"{self.name}_value_id")
        one_hot = keras.layers.CategoryEncoding(
            len(self._values) + 1, output_mode="one_hot", name=f"{self.name}_one_hot"
        )
        return keras.Model({value_id.name: value_id}, one_hot(value_id), name=self.name)
