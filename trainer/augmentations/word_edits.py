"""Texts with words written another way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from trainer.augmentations.augmentation import Augmentation
from trainer.data.words import map_words
from trainer.options import check_number
from trainer.registry import AUGMENTATIONS, EDITS


@AUGMENTATIONS.register("word_edits")
class WordEdits(Augmentation):
    """Writes words another way: slips, look-alikes, spaces, Chinese homophones and scripts.

    Args:
        rate: float in [0, 1]. Share of the words that are changed, where they
            can be.
        kinds: Names of edits to draw from; all by default.
    """

    modality: ClassVar[str] = "text"

    def __init__(self, rate: float = 0.1, kinds: Sequence[str] = ()) -> None:
        check_number("rate", rate, 0, 1)
        self.rate = rate
        self._edits = [EDITS.get(name)() for name in kinds or EDITS.names()]

    def __call__(self, value: str, rng: np.random.Generator) -> str:
        def edit(words: list[str]) -> list[str]:
            chosen = rng.random(len(words)) < self.rate
            return [
                self._edit(word, rng) if of else word
                for word, of in zip(words, chosen, strict=True)
            ]

        return map_words(value, edit)

    def _edit(self, word: str, rng: np.random.Generator) -> str:
        for index in rng.permutation(len(self._edits)):
            if variants := self._edits[index].variants(word):
                return variants[rng.integers(len(variants))]
        return word
