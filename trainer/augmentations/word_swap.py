"""Texts with words out of order."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from trainer.augmentations.augmentation import Augmentation
from trainer.data.words import map_words
from trainer.options import check_number
from trainer.registry import AUGMENTATIONS


@AUGMENTATIONS.register("word_swap")
class WordSwap(Augmentation):
    """Swaps words of a line with the one that follows.

    Args:
        rate: float in [0, 1]. Share of the neighbours that are swapped.

    Reference:
        Wei and Zou, 2019, "EDA", arXiv:1901.11196, random swap, of neighbours
        only: far swaps break more n-grams than a seller's word order does.
    """

    modality: ClassVar[str] = "text"

    def __init__(self, rate: float = 0.1) -> None:
        check_number("rate", rate, 0, 1)
        self.rate = rate

    def __call__(self, value: str, rng: np.random.Generator) -> str:
        def swap(words: list[str]) -> list[str]:
            words = list(words)
            for index in np.flatnonzero(rng.random(len(words) - 1) < self.rate):
                words[index], words[index + 1] = words[index + 1], words[index]
            return words

        return map_words(value, swap)
