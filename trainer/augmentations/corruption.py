"""What every corruption answers: a picture, and how badly it was taken or treated."""

from __future__ import annotations

import abc
from typing import Any, ClassVar

import numpy as np
from PIL import Image

from trainer.augmentations.augmentation import Augmentation
from trainer.registry import AUGMENTATIONS

SEVERITIES = (1, 2, 3, 4, 5)
USUAL_SIDE = 224
"""Shorter side of the pictures that lengths are for; they grow with others."""


class Corruption(Augmentation):
    """Does to a picture what bad cameras, channels and sellers do, in five severities.

    Args:
        severity: int from 1 to 5, or 0 for one drawn for each picture.

    Reference:
        Hendrycks and Dietterich, 2019, arXiv:1903.12261, on pictures of any
        size: lengths are shares of the shorter side.
    """

    modality: ClassVar[str] = "image"
    strengths: ClassVar[tuple[Any, ...]]
    """What each severity means."""

    def __init__(self, severity: int = 0) -> None:
        if severity not in (0, *SEVERITIES):
            raise ValueError(
                f"`severity` must be from 1 to 5, or 0. Received: severity={severity!r}."
            )
        self.severity = severity

    def __call__(self, value: Image.Image, rng: np.random.Generator) -> Image.Image:
        severity = self.severity or int(rng.integers(1, len(SEVERITIES) + 1))
        return self.corrupt(value, self.strengths[severity - 1], rng)

    @abc.abstractmethod
    def corrupt(self, value: Image.Image, strength: Any, rng: np.random.Generator) -> Image.Image:
        """Returns a corrupted picture of the same size."""


def scale(image: Image.Image) -> float:
    """Returns by how much lengths grow in a picture of this size."""
    return min(image.size) / USUAL_SIDE


def find_corruptions() -> dict[str, type[Corruption]]:
    """Returns all corruptions by name."""
    members = {name: AUGMENTATIONS.get(name) for name in AUGMENTATIONS.names()}
    return {name: member for name, member in members.items() if issubclass(member, Corruption)}
