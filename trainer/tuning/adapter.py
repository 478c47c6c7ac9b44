"""Bottlenecks inside the blocks of a transformer."""

from __future__ import annotations

import re
from typing import ClassVar

import keras

from trainer.layers.adapter_block import AdapterBlock
from trainer.registry import TUNING
from trainer.tuning.tuning import Tuning, at_least_one, train_only


@TUNING.register("adapter")
class Adapter(Tuning):
    """Trains small bottlenecks that are put into each block of a transformer.

    They change nothing at first, and stay in the exported model.

    Args:
        learning_rate: float.
        bottleneck_dim: int. Their width.
        after_attention: bool. A bottleneck after attention and another after
            feed-forward (Houlsby et al.), or only the latter (Pfeiffer et al.).

    Reference:
        Houlsby et al., 2019, arXiv:1902.00751; Pfeiffer et al., 2020,
        arXiv:2005.00247. Layer normalisations stay as they are.
    """

    part: ClassVar[str] = "transformers"

    def __init__(
        self,
        learning_rate: float = 1e-3,
        bottleneck_dim: int = 16,
        after_attention: bool = True,
    ) -> None:
        super().__init__(learning_rate)
        at_least_one(bottleneck_dim=bottleneck_dim)
        self.bottleneck_dim = bottleneck_dim
        self.after_attention = after_attention

    def apply(self, model: keras.Model, pattern: str) -> None:
        blocks = [of for of in model._flatten_layers() if re.fullmatch(pattern, of.name)]
        for block in blocks:
            AdapterBlock.convert(block, self.bottleneck_dim, self.after_attention)
        added = [layer for block in blocks for layer in block.bottlenecks]
        train_only(model, [weight for layer in added for weight in layer.weights])
