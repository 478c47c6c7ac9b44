"""Learned keys and values before those of the tokens."""

from __future__ import annotations

import re
from typing import ClassVar

import keras

from trainer.layers.prefix_block import PrefixBlock
from trainer.registry import TUNING
from trainer.tuning.tuning import Tuning, at_least_one, train_only


@TUNING.register("prefix")
class Prefix(Tuning):
    """Trains keys and values that every token of a transformer sees before the others.

    They take some attention from the tokens from the first step on, and stay
    in the exported model.

    Args:
        learning_rate: float.
        length: int. How many keys and values each attention is given.

    Reference:
        Li and Liang, 2021, arXiv:2101.00190. Trained as they are, not as the
        output of another network, as in Liu et al., 2021, arXiv:2110.07602.
    """

    part: ClassVar[str] = "transformers"

    def __init__(self, learning_rate: float = 5e-3, length: int = 8) -> None:
        super().__init__(learning_rate)
        at_least_one(length=length)
        self.length = length

    def apply(self, model: keras.Model, pattern: str) -> None:
        blocks = [of for of in model._flatten_layers() if re.fullmatch(pattern, of.name)]
        for block in blocks:
            PrefixBlock.convert(block, self.length)
        train_only(model, [weight for block in blocks for weight in block.prefix])
