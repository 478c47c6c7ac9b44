"""Only the biases of an encoder."""

from __future__ import annotations

from typing import ClassVar

import keras

from trainer.registry import TUNING
from trainer.tuning.tuning import Tuning, train_only


@TUNING.register("bitfit")
class BitFit(Tuning):
    """Trains biases and the offsets of normalisations: one weight in a thousand.

    Args:
        learning_rate: float.

    Reference:
        Ben Zaken et al., 2021, arXiv:2106.10199. The offsets of batch
        normalisation count as biases here, for convolutions that have none.
    """

    part: ClassVar[str] = "biases"

    def __init__(self, learning_rate: float = 1e-3) -> None:
        super().__init__(learning_rate)

    def apply(self, model: keras.Model, pattern: str) -> None:
        train_only(model, [v for v in model.trainable_variables if v.name in ("bias", "beta")])
