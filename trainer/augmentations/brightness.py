"""Pictures in glaring light."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from PIL import Image

from trainer.augmentations.corruption import Corruption
from trainer.registry import AUGMENTATIONS


@AUGMENTATIONS.register("brightness")
class Brightness(Corruption):
    """Adds to the value of each pixel's hue, saturation and value, as a share of the range."""

    strengths: ClassVar[tuple[float, ...]] = (0.1, 0.2, 0.3, 0.4, 0.5)

    def corrupt(self, value: Image.Image, strength: float, rng: np.random.Generator) -> Image.Image:
        hue, saturation, light = value.convert("HSV").split()
        light = light.point([min(255, round(old + 255 * strength)) for old in range(256)])
        return Image.merge("HSV", (hue, saturation, light)).convert("RGB")
