"""Weights of 8 bits, values rounded while they pass."""

from typing import Any

from trainer.quantization.quantizer import Quantizer
from trainer.registry import QUANTIZERS


@QUANTIZERS.register("dynamic_range")
class DynamicRange(Quantizer):
    """Stores weights as integers; each product finds the range of its inputs anew.

    Needs no products to look at; nothing is rounded between two products.
    """

    def configure(self, converter: Any) -> None:
        import tensorflow as tf

        converter.optimizations = [tf.lite.Optimize.DEFAULT]
