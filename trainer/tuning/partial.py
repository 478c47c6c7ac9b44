"""The end of an encoder."""

from __future__ import annotations

import re
from typing import ClassVar

import keras

from trainer.registry import TUNING
from trainer.tuning.tuning import Tuning, at_least_one, train_only


@TUNING.register("partial")
class Partial(Tuning):
    """Trains the last blocks and what follows them.

    Args:
        learning_rate: float.
        blocks: int. How many.
    """

    part: ClassVar[str] = "blocks"

    def __init__(self, learning_rate: float = 5e-5, blocks: int = 2) -> None:
        super().__init__(learning_rate)
        at_least_one(blocks=blocks)
        self.blocks = blocks

    def apply(self, model: keras.Model, pattern: str) -> None:
        layers = _layers_in_order(model, pattern)
        names = [found and found[0] for found in (re.match(pattern, of.name) for of in layers)]
        blocks = list(dict.fromkeys(filter(None, names)))
        if self.blocks > len(blocks):
            raise ValueError(
                f"{model.name!r} has {len(blocks)} blocks. Received: blocks={self.blocks}."
            )
        first = names.index(blocks[-self.blocks])
        train_only(model, [v for layer in layers[first:] for v in layer.trainable_variables])


def _layers_in_order(model: keras.Model, pattern: str) -> list[keras.Layer]:
    """Returns the layers from input to output of the network that has the blocks."""
    for network in model._flatten_layers():
        layers = network.layers if isinstance(network, keras.Model) else []
        if any(re.match(pattern, layer.name) for layer in layers):
            return layers
    return []
