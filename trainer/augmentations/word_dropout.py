"""Texts with words missing."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from trainer.augmentations.augmentation import Augmentation
from trainer.data.words import map_words
from trainer.options import check_number
from trainer.registry import AUGMENTATIONS


@AUGMENTATIONS.register("word_dropout")
class WordDropout(Augmentation):
    """Leaves out each word by chance; one of each line always stays.

    Words are left out rather than masked: `[MASK]` would be a word like any
    other to the n-grams, and BERT's tokenizer takes it apart.

    Args:
        rate: float in [0, 1]. Share of the words that are left out.

    Reference:
        Wei and Zou, 2019, "EDA", arXiv:1901.11196, random deletion.
    """

    modality: ClassVar[str] = "text"

    def __init__(self, rate: float = 0.1) -> None:
        check_number("rate", rate, 0, 1)
        self.rate = rate

    def __call__(self, value: str, rng: np.random.Generator) -> str:
        def drop(words: list[str]) -> list[str]:
            kept = rng.random(len(words)) >= self.rate
            if not kept.any():
                kept[rng.integers(len(words))] = True
            return [word if stays else "" for word, stays in zip(words, kept, strict=True)]

        return map_words(value, drop)
