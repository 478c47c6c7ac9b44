"""Weights and values of 8 bits, by ranges that were seen before."""

from trainer.quantization.calibrated import Calibrated
from trainer.registry import QUANTIZERS


@QUANTIZERS.register("full_integer")
class FullInteger(Calibrated):
    """Computes every product with integers, without any training.

    Batch normalisations are folded, ranges found on some products, and the
    channels of transformers evened.
    """
