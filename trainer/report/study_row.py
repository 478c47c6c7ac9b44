"""One row of the modality study: the same test with some of the inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class StudyRow:
    """What is reached with some of the inputs.

    Args:
        inputs: Inputs that were used, such as `("picture",)` or
            `("picture", "text", "price")`.
        accuracy: float.
        macro_f1: float.
        slices: By value of a slice, at least `accuracy` and `num_examples`:
            one entry of `evaluate_slices`, such as its `["evidence"]`.
    """

    inputs: tuple[str, ...]
    accuracy: float
    macro_f1: float
    slices: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
