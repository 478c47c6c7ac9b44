"""Pictures under other light."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from PIL import Image, ImageEnhance

from trainer.augmentations.augmentation import Augmentation
from trainer.options import check_number
from trainer.registry import AUGMENTATIONS


@AUGMENTATIONS.register("colour_jitter")
class ColourJitter(Augmentation):
    """Scales brightness, contrast and saturation, each by its own factor around 1.

    The hue stays: it tells products apart.

    Args:
        brightness: float in [0, 1]. The factor is at most so far from 1.
        contrast: float in [0, 1].
        saturation: float in [0, 1].

    Reference:
        Howard, 2013, "Some improvements on deep convolutional neural network
        based image classification", arXiv:1312.5402, in a fixed order.
    """

    modality: ClassVar[str] = "image"

    def __init__(
        self, brightness: float = 0.2, contrast: float = 0.2, saturation: float = 0.2
    ) -> None:
        spreads = {"brightness": brightness, "contrast": contrast, "saturation": saturation}
        for name, spread in spreads.items():
            check_number(name, spread, 0, 1)
        self.spreads = tuple(spreads.values())

    def __call__(self, value: Image.Image, rng: np.random.Generator) -> Image.Image:
        enhancers = (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color)
        for enhance, spread in zip(enhancers, self.spreads, strict=True):
            value = enhance(value).enhance(1 + spread * rng.uniform(-1, 1))
        return value
