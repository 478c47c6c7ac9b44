"""Pictures with somebody's name all over them."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from trainer.augmentations.corruption import Corruption, scale
from trainer.registry import AUGMENTATIONS

_WORDS = ("SAMPLE", "SALE", "best price", "www.shop.example", "COPYRIGHT", "-50 %")
_HEIGHT = 22


@AUGMENTATIONS.register("watermark")
class Watermark(Corruption):
    """Writes lines all over the picture, dark on light.

    Strengths are how far they cover what is below them.
    """

    strengths: ClassVar[tuple[float, ...]] = (0.2, 0.35, 0.5, 0.65, 0.8)

    def corrupt(self, value: Image.Image, strength: float, rng: np.random.Generator) -> Image.Image:
        height = max(6, round(_HEIGHT * scale(value)))
        word = str(rng.choice(_WORDS))
        line = "  ".join([word] * (2 + value.width // (height * len(word) // 3)))
        mask = Image.new("L", value.size)
        draw, font = ImageDraw.Draw(mask), ImageFont.load_default(height)
        for top in range(-int(rng.integers(height)), value.height, 2 * height):
            draw.text((-int(rng.integers(4 * height)), top), line, round(255 * strength), font)
        marked = value.copy()
        is_light = np.asarray(value.convert("L")).mean() > 127
        marked.paste((0, 0, 0) if is_light else (255, 255, 255), (0, 0), mask)
        return marked
