"""Nothing rounded: what the others are measured against."""

from typing import Any

from trainer.quantization.quantizer import Quantizer
from trainer.registry import QUANTIZERS


@QUANTIZERS.register("float32")
class Float32(Quantizer):
    """Leaves weights and values as they are."""

    def configure(self, converter: Any) -> None:
        del converter
