"""Pictures taken with too little light."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from PIL import Image

from trainer.augmentations.corruption import Corruption
from trainer.registry import AUGMENTATIONS


@AUGMENTATIONS.register("noise")
class Noise(Corruption):
    """Adds Gaussian noise to every value; strengths are deviations as shares of the range."""

    strengths: ClassVar[tuple[float, ...]] = (0.08, 0.12, 0.18, 0.26, 0.38)

    def corrupt(self, value: Image.Image, strength: float, rng: np.random.Generator) -> Image.Image:
        pixels = np.asarray(value, np.float32)
        noisy = pixels + 255 * strength * rng.standard_normal(pixels.shape, np.float32)
        return Image.fromarray(np.clip(noisy + 0.5, 0, 255).astype(np.uint8))
