"""Pictures that hang askew."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from PIL import Image

from trainer.augmentations.corruption import Corruption
from trainer.registry import AUGMENTATIONS


@AUGMENTATIONS.register("rotation")
class Rotation(Corruption):
    """Turns to either side; strengths are degrees. Corners are filled with white."""

    strengths: ClassVar[tuple[float, ...]] = (5, 10, 20, 30, 45)

    def corrupt(self, value: Image.Image, strength: float, rng: np.random.Generator) -> Image.Image:
        angle = strength * rng.choice([-1, 1])
        return value.rotate(angle, Image.Resampling.BILINEAR, fillcolor=(255, 255, 255))
