"""Pictures in a mirror."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from PIL import Image

from trainer.augmentations.augmentation import Augmentation
from trainer.options import check_number
from trainer.registry import AUGMENTATIONS


@AUGMENTATIONS.register("flip")
class Flip(Augmentation):
    """Swaps left and right.

    Args:
        probability: float in [0, 1]. Share of the pictures that are flipped.
    """

    modality: ClassVar[str] = "image"

    def __init__(self, probability: float = 0.5) -> None:
        check_number("probability", probability, 0, 1)
        self.probability = probability

    def __call__(self, value: Image.Image, rng: np.random.Generator) -> Image.Image:
        if rng.random() >= self.probability:
            return value
        return value.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
