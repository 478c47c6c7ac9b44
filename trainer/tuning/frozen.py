"""An encoder as it was loaded."""

from __future__ import annotations

from typing import ClassVar

import keras

from trainer.registry import TUNING
from trainer.tuning.tuning import Tuning


@TUNING.register("frozen")
class Frozen(Tuning):
    """Trains nothing, so that embeddings can be computed once."""

    part: ClassVar[str] = ""
    trains: ClassVar[bool] = False

    def __init__(self) -> None:
        """Takes no options."""

    def apply(self, model: keras.Model, pattern: str) -> None:
        model.trainable = False
