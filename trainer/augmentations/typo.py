"""Texts with slips of the finger."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from trainer.augmentations.augmentation import Augmentation
from trainer.data.words import map_words
from trainer.options import check_number
from trainer.registry import AUGMENTATIONS

_SHORTEST = 4


@AUGMENTATIONS.register("typo")
class Typo(Augmentation):
    """Leaves out a letter of a word, doubles one, or swaps two; the first stays.

    Words of fewer than four characters and ideographs stay as they are.

    Args:
        rate: float in [0, 1]. Share of the longer words that are changed.

    Reference:
        Belinkov and Bisk, 2018, arXiv:1711.02173, and others.
    """

    modality: ClassVar[str] = "text"

    def __init__(self, rate: float = 0.05) -> None:
        check_number("rate", rate, 0, 1)
        self.rate = rate

    def __call__(self, value: str, rng: np.random.Generator) -> str:
        def mistype(words: list[str]) -> list[str]:
            return [
                _mistype(word, rng) if wrong and len(word) >= _SHORTEST else word
                for word, wrong in zip(words, rng.random(len(words)) < self.rate, strict=True)
            ]

        return map_words(value, mistype)


def _mistype(word: str, rng: np.random.Generator) -> str:
    at = int(rng.integers(1, len(word) - 1))
    before, two, after = word[:at], word[at : at + 2], word[at + 2 :]
    return before + (two[0], two[0] + two, two[::-1])[rng.integers(3)] + after
