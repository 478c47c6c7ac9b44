"""Attention whose two products are of values of 8 bits."""

from __future__ import annotations

from typing import Any

import keras

from trainer.layers.device_attention import DeviceAttention
from trainer.layers.quantized.twin import Twin, add_quantizer, twin_of


@twin_of(keras.layers.MultiHeadAttention)
class QuantizedAttention(DeviceAttention, Twin):
    """Rounds queries, keys, values, scores and shares; mask and softmax stay float."""

    def add_quantizers(self) -> None:
        for name in ("query", "key", "value", "score", "context"):
            add_quantizer(self, f"{name}_quantizer")
        add_quantizer(self, "share_quantizer", fixed=(0.0, 1.0))

    def round(self, name: str, values: Any) -> Any:
        return getattr(self, f"{name}_quantizer")(values)
