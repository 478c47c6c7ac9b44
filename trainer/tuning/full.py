"""All of an encoder."""

from __future__ import annotations

from typing import ClassVar

import keras

from trainer.registry import TUNING
from trainer.tuning.tuning import Tuning


@TUNING.register("full")
class Full(Tuning):
    """Trains every weight.

    Args:
        learning_rate: float. More than a few times the default undoes on a
            small catalogue what pretraining has learned.
    """

    part: ClassVar[str] = "weights"

    def __init__(self, learning_rate: float = 2e-5) -> None:
        super().__init__(learning_rate)

    def apply(self, model: keras.Model, pattern: str) -> None:
        model.trainable = True
