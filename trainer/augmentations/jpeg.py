"""Pictures that were squeezed too hard."""

from __future__ import annotations

import io
from typing import ClassVar

import numpy as np
from PIL import Image

from trainer.augmentations.corruption import Corruption
from trainer.registry import AUGMENTATIONS

_LONGEST = 65_500
"""Pixels of a side that the format can hold."""


@AUGMENTATIONS.register("jpeg")
class Jpeg(Corruption):
    """Stores as JPEG; strengths are qualities, of which 75 is usual."""

    strengths: ClassVar[tuple[int, ...]] = (25, 18, 15, 10, 7)

    def corrupt(self, value: Image.Image, strength: int, rng: np.random.Generator) -> Image.Image:
        buffer = io.BytesIO()
        size, longest = value.size, max(value.size)
        if longest > _LONGEST:
            value = value.resize([max(1, side * _LONGEST // longest) for side in size])
        value.save(buffer, "JPEG", quality=strength)
        return Image.open(buffer).convert("RGB").resize(size)
