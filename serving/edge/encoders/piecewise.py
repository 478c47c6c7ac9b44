"""Numbers as how far they have come through each quantile bin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from serving.edge.encoders.encoder import Encoder, Tensors, Values
from serving.edge.registry import register


@register("piecewise")
class PiecewiseEncoder(Encoder):
    """Gives the share of each bin that lies below a number; its state has the `edges`."""

    kind: ClassVar[str] = "number"
    defaults: ClassVar[Mapping[str, Any]] = {"log": True}

    def preprocess(self, values: Values) -> Tensors:
        edges = np.array(self.state["edges"], np.float32)
        numbers = np.asarray(values, np.float32)
        numbers = np.where(np.isnan(numbers), np.float32(0), numbers)
        if self.options["log"]:
            numbers = np.sign(numbers) * np.log1p(np.abs(numbers))
        with np.errstate(over="ignore"):  # clipped all the same
            shares = (numbers[:, None] - edges[:-1]) / (edges[1:] - edges[:-1])
        return {f"{self.name}_bins": np.clip(shares, 0, 1)}
