"""Pictures changed by a few operations out of many."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from trainer.augmentations.augmentation import Augmentation
from trainer.options import check_number
from trainer.registry import AUGMENTATIONS

_MAX_MAGNITUDE = 10
_GROUND = (128, 128, 128)


@AUGMENTATIONS.register("rand_augment")
class RandAugment(Augmentation):
    """Applies operations drawn with replacement, all of one strength.

    Args:
        num_operations: int. How many, `N` in the paper.
        magnitude: float in [0, 10]. How strong, `M` in the paper: 0 changes as
            little, 10 as much as an operation can. An operation with two
            directions takes either.

    Reference:
        Cubuk et al., 2019, arXiv:1909.13719, with its 14 operations and the
        ranges of AutoAugment (arXiv:1805.09501).
    """

    modality: ClassVar[str] = "image"

    def __init__(self, num_operations: int = 2, magnitude: float = 5) -> None:
        check_number("num_operations", num_operations, 1)
        check_number("magnitude", magnitude, 0, _MAX_MAGNITUDE)
        self.num_operations = int(num_operations)
        self.magnitude = magnitude

    def __call__(self, value: Image.Image, rng: np.random.Generator) -> Image.Image:
        for index in rng.integers(len(OPERATIONS), size=self.num_operations):
            strength = rng.choice([-1, 1]) * self.magnitude / _MAX_MAGNITUDE
            value = list(OPERATIONS.values())[index](value, float(strength))
        return value


def _transform(image: Image.Image, *matrix: float) -> Image.Image:
    """Maps `(x, y)` of the result to `(ax + by + c, dx + ey + f)` of the picture."""
    return image.transform(
        image.size, Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR, fillcolor=_GROUND
    )


def _rotate(image: Image.Image, strength: float) -> Image.Image:
    return image.rotate(30 * strength, Image.Resampling.BILINEAR, fillcolor=_GROUND)


def _enhance(kind: type) -> Callable[[Image.Image, float], Image.Image]:
    return lambda image, strength: kind(image).enhance(1 + 0.9 * strength)


OPERATIONS: dict[str, Callable[[Image.Image, float], Image.Image]] = {
    "identity": lambda image, strength: image,
    "auto_contrast": lambda image, strength: ImageOps.autocontrast(image),
    "equalize": lambda image, strength: ImageOps.equalize(image),
    "posterize": lambda image, strength: ImageOps.posterize(image, 8 - round(4 * abs(strength))),
    "solarize": lambda image, strength: ImageOps.solarize(image, round(256 * (1 - abs(strength)))),
    "rotate": _rotate,
    "shear_x": lambda image, strength: _transform(image, 1, 0.3 * strength, 0, 0, 1, 0),
    "shear_y": lambda image, strength: _transform(image, 1, 0, 0, 0.3 * strength, 1, 0),
    "translate_x": lambda image, strength: _transform(
        image, 1, 0, 0.45 * strength * image.width, 0, 1, 0
    ),
    "translate_y": lambda image, strength: _transform(
        image, 1, 0, 0, 0, 1, 0.45 * strength * image.height
    ),
    "saturation": _enhance(ImageEnhance.Color),
    "contrast": _enhance(ImageEnhance.Contrast),
    "brightness": _enhance(ImageEnhance.Brightness),
    "sharpness": _enhance(ImageEnhance.Sharpness),
}
"""From a picture and a strength in [-1, 1] to the changed picture."""
