"""Weights of 16 bits."""

from typing import Any

from trainer.quantization.quantizer import Quantizer
from trainer.registry import QUANTIZERS


@QUANTIZERS.register("float16")
class Float16(Quantizer):
    """Stores weights as half floats, and computes with them where the device can."""

    def configure(self, converter: Any) -> None:
        import tensorflow as tf

        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
