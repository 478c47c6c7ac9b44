"""What quantizers share that round values by ranges that were seen before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from trainer.quantization.quantizer import Quantizer


class Calibrated(Quantizer):
    """Attaches quantizers to the network and finds their ranges; the converter reads them.

    Args:
        keep_float: str. Regular expression of the paths of layers to leave as
            they are.

    Reference:
        See `trainer.layers.quantized`.
    """

    calibrates: ClassVar[bool] = True

    def __init__(self, keep_float: str = "") -> None:
        self.keep_float = keep_float

    def prepare(self, network: Any, batches: Iterable[Mapping[str, Any]]) -> None:
        from trainer.layers.quantized.attach import attach_quantizers, calibrate

        calibrate(network, attach_quantizers(network, self.keep_float), batches)

    def configure(self, converter: Any) -> None:
        import tensorflow as tf

        converter.optimizations = [tf.lite.Optimize.DEFAULT]
