"""Pictures out of focus."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from PIL import Image, ImageFilter

from trainer.augmentations.corruption import Corruption, scale
from trainer.registry import AUGMENTATIONS


@AUGMENTATIONS.register("blur")
class Blur(Corruption):
    """Blurs by a Gaussian; strengths are its deviations in pixels of a usual picture."""

    strengths: ClassVar[tuple[float, ...]] = (1, 2, 3, 4, 6)

    def corrupt(self, value: Image.Image, strength: float, rng: np.random.Generator) -> Image.Image:
        return value.filter(ImageFilter.GaussianBlur(strength * scale(value)))
