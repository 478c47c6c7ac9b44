"""Pictures of which something hides a part."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from PIL import Image

from trainer.augmentations.corruption import Corruption
from trainer.registry import AUGMENTATIONS


@AUGMENTATIONS.register("occlusion")
class Occlusion(Corruption):
    """Covers a rectangle of the picture's shape in one colour; strengths are shares of the area.

    Reference:
        DeVries and Taylor, 2017, arXiv:1708.04552, inside of the picture and
        in a colour that is drawn.
    """

    strengths: ClassVar[tuple[float, ...]] = (0.1, 0.2, 0.3, 0.4, 0.5)

    def corrupt(self, value: Image.Image, strength: float, rng: np.random.Generator) -> Image.Image:
        sides = [max(1, round(length * strength**0.5)) for length in value.size]
        left, top = (
            int(rng.integers(length - side + 1))
            for length, side in zip(value.size, sides, strict=True)
        )
        colour = tuple(int(part) for part in rng.integers(256, size=3))
        covered = value.copy()
        covered.paste(colour, (left, top, left + sides[0], top + sides[1]))
        return covered
