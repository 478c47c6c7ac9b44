"""A model for devices, with a certificate of how it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from components.artifact import EXAMPLES, MODEL
from components.component import Component, Input


@dataclass(frozen=True)
class Parameters:
    """What is written.

    Args:
        quantizers: Registered quantizer to its options; the first is the one to be used.
        split: Of the examples, whose products ranges are found on and answers compared.
        products: How many of them: half for the ranges, half to compare.
        keep_float: Regular expression of the paths of layers that stay in float.
        accept: Write files below the thresholds of the certificate, too.
        seed: Of the products that are drawn.
    """

    quantizers: Mapping[str, Mapping[str, Any]] = field(
        default_factory=lambda: {"dynamic_range": {}}
    )
    split: str = "train"
    products: int = 256
    keep_float: str = ""
    accept: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.quantizers:
            raise ValueError("ModelQuantizer needs at least one quantizer.")
        if self.products < 2:
            raise ValueError(f"ModelQuantizer needs 2 products. Received: {self.products}.")


COMPONENT = Component(
    name="ModelQuantizer",
    package=__package__,
    inputs={"examples": Input(EXAMPLES), "model": Input(MODEL)},
    outputs={"model": MODEL},
    parameters=Parameters,
)
