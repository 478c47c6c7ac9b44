"""Low-rank changes of kernels."""

from __future__ import annotations

from typing import ClassVar

import keras

from trainer.layers.low_rank import add_low_rank, find_kernels, merge_low_rank
from trainer.registry import TUNING
from trainer.tuning.tuning import Tuning, at_least_one, train_only


@TUNING.register("lora")
class Lora(Tuning):
    """Trains `A B` of low rank beside each of some kernels `W`.

    `W + alpha / rank * A B` starts as `W`, because `B` starts at zero, and is
    written into `W` when training is over.

    Args:
        learning_rate: float.
        rank: int. Of the change.
        alpha: float. Strength of the change, whatever the rank.
        layers: str. Regular expression of the names of the layers that are
            changed. By default query and value of transformers, and all
            pointwise convolutions and dense layers of other networks.

    Reference:
        Hu et al., 2021, arXiv:2106.09685, without dropout.
    """

    part: ClassVar[str] = "kernels"

    def __init__(
        self, learning_rate: float = 1e-3, rank: int = 8, alpha: float = 16.0, layers: str = ""
    ) -> None:
        super().__init__(learning_rate)
        at_least_one(rank=rank)
        self.rank = rank
        self.alpha = alpha
        self.layers = layers
        self._changed: list[keras.Layer] = []

    def apply(self, model: keras.Model, pattern: str) -> None:
        self._changed = find_kernels(model, self.layers or pattern)
        for layer in self._changed:
            add_low_rank(
                layer, self.rank, scale=self.alpha / self.rank, left="he_uniform", right="zeros"
            )
        train_only(model, [v for layer in self._changed for v in (layer.left, layer.right)])

    def merge(self, model: keras.Model) -> None:
        for layer in self._changed:
            merge_low_rank(layer)
        self._changed = []
