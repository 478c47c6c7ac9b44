"""Nothing rounded: what the others are measured against."""

from trainer.quantization.quantizer import Quantizer
from trainer.registry import QUANTIZERS


@QUANTIZERS.register("float32")
class Float32(Quantizer):
    """Leaves weights and values as they are."""
