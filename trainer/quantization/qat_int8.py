"""Weights and values of 8 bits that have learned to be so."""

from __future__ import annotations

from trainer.options import check_number
from trainer.quantization.calibrated import Calibrated
from trainer.registry import QUANTIZERS


@QUANTIZERS.register("qat_int8")
class QatInt8(Calibrated):
    """Goes on from `full_integer` with training (quantization-aware training).

    All weights learn, rounded, to give the answers that they gave unrounded; so
    products need no labels. The ranges follow what passes.

    Args:
        epochs: int. Of the training.
        learning_rate: float. Its peak.
        batch_size: int. Products a step.
        keep_float: str. See `Calibrated`.

    Reference:
        Jacob et al., 2017, arXiv:1712.05877, begun from ranges that are known,
        and with the network as its own teacher, as in Polino et al., 2018,
        arXiv:1802.05668; it learns logits in place of probabilities.
    """

    def __init__(
        self,
        epochs: int = 3,
        learning_rate: float = 1e-5,
        batch_size: int = 16,
        keep_float: str = "",
    ) -> None:
        super().__init__(keep_float)
        for name, value in (("epochs", epochs), ("batch_size", batch_size)):
            if value < 1:
                raise ValueError(f"`{name}` must be at least 1. Received: {name}={value}.")
        check_number("learning_rate", learning_rate, 0)
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.batch_size = batch_size
