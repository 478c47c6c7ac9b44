"""Categories as one of the values seen in training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from serving.edge.encoders.encoder import Encoder, Tensors, Values
from serving.edge.registry import register


@register("one_hot")
class OneHotEncoder(Encoder):
    """Numbers the `values` of its state; what is not among them gets the number after the last."""

    kind: ClassVar[str] = "category"

    def __init__(self, name: str, options: Mapping[str, Any], state: Mapping[str, Any]) -> None:
        super().__init__(name, options, state)
        self._ids = {value.encode(): index for index, value in enumerate(state["values"])}

    def preprocess(self, values: Values) -> Tensors:
        ids = [self._ids.get(value, len(self._ids)) for value in values]
        return {f"{self.name}_value_id": np.array(ids, np.int32)}
