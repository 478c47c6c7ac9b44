"""Numbers as how far they have come through each quantile bin."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from trainer.encoders.encoder import Encoder
from trainer.registry import ENCODERS


@ENCODERS.register("piecewise")
class PiecewiseEncoder(Encoder):
    """Embeds a number piecewise linearly between quantiles of the training rows.

    A linear head on it is a piecewise linear function of the number, whatever
    its scale; far outliers stay bounded.

    Args:
        name: str.
        tuning: `"frozen"` only: there is nothing to train.
        num_bins: int.
        log: bool. Take `sign(x) ln(1 + |x|)` first, as fits prices.

    Reference:
        Gorishniy et al., 2022, arXiv:2203.05556, scaled to length at most 1.
    """

    modality = "number"
    adapts = True

    def __init__(
        self, name: str, tuning: str = "frozen", num_bins: int = 8, log: bool = True
    ) -> None:
        super().__init__(name, tuning)
        self.num_bins = num_bins
        self.log = log
        self._edges = [float(edge) for edge in range(num_bins + 1)]

    def adapt(self, values: np.ndarray) -> None:
        values = np.asarray(values, np.float32)
        values = values[np.isfinite(values)]
        if len(values):
            scaled = self._scale(tf.constant(values)).numpy()
            edges = np.quantile(scaled, np.linspace(0, 1, self.num_bins + 1))
            # Different as float32 too, or a bin would have no width.
            edges = np.unique(edges.astype(np.float32))
            if len(edges) == 1:  # one price for all products: a bin around it
                half = max(0.5, abs(float(edges[0])) / 1000)
                edges = np.array([edges[0] - half, edges[0] + half])
            self._edges = [float(edge) for edge in edges]

    def get_state(self) -> dict[str, Any]:
        return {"edges": self._edges}

    def set_state(self, state: dict[str, Any]) -> None:
        self._edges = state["edges"]

    def input_specs(self) -> dict[str, tf.TensorSpec]:
        return {f"{self.name}_bins": tf.TensorSpec([len(self._edges) - 1], tf.float32)}

    def preprocess(self, values: tf.Tensor) -> dict[str, tf.Tensor]:
        edges = tf.constant(self._edges, tf.float32)
        scaled = self._scale(tf.where(tf.math.is_nan(values), 0.0, values))[:, None]
        shares = tf.clip_by_value((scaled - edges[:-1]) / (edges[1:] - edges[:-1]), 0.0, 1.0)
        return {f"{self.name}_bins": shares}

    def build(self) -> keras.Model:
        num_bins = len(self._edges) - 1
        bins = keras.Input([num_bins], dtype="float32", name=f"{self.name}_bins")
        scale = keras.layers.Rescaling(float(num_bins**-0.5), name=f"{self.name}_scale")
        return keras.Model({bins.name: bins}, scale(bins), name=self.name)

    def _scale(self, values: tf.Tensor) -> tf.Tensor:
        return tf.sign(values) * tf.math.log1p(tf.abs(values)) if self.log else values
