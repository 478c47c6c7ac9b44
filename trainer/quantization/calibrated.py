"""What quantizers share that round values by ranges that were seen before."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from trainer.quantization.quantizer import Quantizer

if TYPE_CHECKING:
    from trainer.layers.quantized.attach import Attached


class Calibrated(Quantizer):
    """Attaches quantizers to the network and finds their ranges; the converter reads them.

    Args:
        keep_float: str. Regular expression of the paths of layers to leave as
            they are, with all layers inside of them.

    Attributes:
        attached: What became of the layers of the network prepared last; `None` before.

    Reference:
        See `trainer.layers.quantized`.
    """

    # Apart from `vars`, which are the options: training is gone on with by them.
    __slots__ = ("attached",)
    attached: Attached | None

    calibrates: ClassVar[bool] = True

    def __init__(self, keep_float: str = "") -> None:
        try:
            re.compile(keep_float)
        except re.error as error:
            raise ValueError(
                f"`keep_float` must be a regular expression: {error}. "
                f"Received: keep_float={keep_float!r}."
            ) from error
        self.keep_float = keep_float
        self.attached = None

    def prepare(self, network: Any, batches: Iterable[Mapping[str, Any]]) -> None:
        from trainer.layers.quantized.attach import attach_quantizers, calibrate

        self.attached = attach_quantizers(network, self.keep_float)
        calibrate(network, self.attached, batches)

    def configure(self, converter: Any) -> None:
        import tensorflow as tf

        converter.optimizations = [tf.lite.Optimize.DEFAULT]
