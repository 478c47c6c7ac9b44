"""Attention whose two products are of values of 8 bits."""

from __future__ import annotations

from typing import Any

import keras
import keras_hub

from trainer.layers.device_attention import DeviceAttention
from trainer.layers.prefix_block import PrefixAttention
from trainer.layers.quantized.twin import Twin, add_quantizer, twin_of


@twin_of(
    keras.layers.MultiHeadAttention, keras_hub.layers.CachedMultiHeadAttention, PrefixAttention
)
class QuantizedAttention(DeviceAttention, Twin):
    """Rounds queries, keys, values, scores and shares; mask and softmax stay float.

    The second factors of its products, keys and values, have zero in the middle of
    their range: XNNPACK multiplies only such ones, and without it a product takes
    twelve times as long.
    """

    def add_quantizers(self) -> None:
        for name in ("query", "score", "context"):
            add_quantizer(self, f"{name}_quantizer")
        for name in ("key", "value"):
            add_quantizer(self, f"{name}_quantizer", centred=True)
        # The range that devices give to shares, whatever range they are told.
        add_quantizer(self, "share_quantizer", fixed=(0.0, 255 / 256))

    def centre_factors(self) -> None:
        """Lets the layers that make keys and values round them so, too."""
        for layer in (self._key_dense, self._value_dense):
            if isinstance(layer, Twin) and "output_quantizer" in vars(layer):
                layer.output_quantizer.centred = True

    def round(self, name: str, values: Any) -> Any:
        return getattr(self, f"{name}_quantizer")(values)
