"""Numbers somewhat larger or smaller."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np

from trainer.augmentations.augmentation import Augmentation
from trainer.options import check_number
from trainer.registry import AUGMENTATIONS


@AUGMENTATIONS.register("jitter")
class Jitter(Augmentation):
    """Multiplies a number by a log-normal factor: sign and zero stay.

    Args:
        spread: float >= 0. Standard deviation of the factor's logarithm: about
            the relative error.
    """

    modality: ClassVar[str] = "number"

    def __init__(self, spread: float = 0.1) -> None:
        check_number("spread", spread, 0)
        self.spread = spread

    def __call__(self, value: float, rng: np.random.Generator) -> float:
        return value * math.exp(self.spread * rng.standard_normal())
