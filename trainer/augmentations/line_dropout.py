"""Texts with whole columns missing."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from trainer.augmentations.augmentation import Augmentation
from trainer.options import check_number
from trainer.registry import AUGMENTATIONS


@AUGMENTATIONS.register("line_dropout")
class LineDropout(Augmentation):
    """Leaves out whole lines, each a column of the table; one always stays.

    Args:
        rate: float in [0, 1]. Share of the lines that are left out.
    """

    modality: ClassVar[str] = "text"

    def __init__(self, rate: float = 0.3) -> None:
        check_number("rate", rate, 0, 1)
        self.rate = rate

    def __call__(self, value: str, rng: np.random.Generator) -> str:
        lines = value.split("\n")
        kept = rng.random(len(lines)) >= self.rate
        kept[rng.integers(len(lines))] |= not kept.any()
        return "\n".join(line for line, stays in zip(lines, kept, strict=True) if stays)
