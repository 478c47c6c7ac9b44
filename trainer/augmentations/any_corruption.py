"""Pictures corrupted in one way of many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from PIL import Image

from trainer.augmentations.augmentation import Augmentation
from trainer.augmentations.corruption import find_corruptions
from trainer.registry import AUGMENTATIONS, unknown


@AUGMENTATIONS.register("any_corruption")
class AnyCorruption(Augmentation):
    """Applies one corruption that is drawn, in a severity that is drawn.

    Args:
        kinds: Names of corruptions; all by default.
    """

    modality: ClassVar[str] = "image"

    def __init__(self, kinds: Sequence[str] = ()) -> None:
        members = find_corruptions()
        for name in kinds:
            if name not in members:
                raise ValueError(unknown("name in `kinds`", name, members))
        self._operations = [members[name]() for name in kinds or members]

    def __call__(self, value: Image.Image, rng: np.random.Generator) -> Image.Image:
        return self._operations[rng.integers(len(self._operations))](value, rng)
