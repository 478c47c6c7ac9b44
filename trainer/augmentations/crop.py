"""Pictures cut at the edges."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
from PIL import Image

from trainer.augmentations.augmentation import Augmentation
from trainer.options import check_number
from trainer.registry import AUGMENTATIONS


@AUGMENTATIONS.register("crop")
class Crop(Augmentation):
    """Keeps a rectangle of a picture, drawn anywhere in it.

    Args:
        smallest: float in [0, 1]. Share of the area that is kept at least.
        stretch: float >= 1. How far the ratio of the sides may change.

    Reference:
        Szegedy et al., 2014, "Going deeper with convolutions",
        arXiv:1409.4842; a rectangle too wide or high is clipped, not drawn
        again, and the encoders do the resizing.
    """

    modality: ClassVar[str] = "image"

    def __init__(self, smallest: float = 0.5, stretch: float = 4 / 3) -> None:
        check_number("smallest", smallest, 0, 1)
        check_number("stretch", stretch, 1)
        self.smallest = smallest
        self.stretch = stretch

    def __call__(self, value: Image.Image, rng: np.random.Generator) -> Image.Image:
        share = rng.uniform(self.smallest, 1)
        ratio = math.exp(rng.uniform(-1, 1) * math.log(self.stretch))
        width = self._side(value.width, math.sqrt(share * ratio))
        height = self._side(value.height, math.sqrt(share / ratio))
        left = int(rng.integers(value.width - width + 1))
        top = int(rng.integers(value.height - height + 1))
        return value.crop((left, top, left + width, top + height))

    def _side(self, length: int, share: float) -> int:
        return min(length, max(1, round(length * share)))
