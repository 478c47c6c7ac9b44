"""Checks of options that members of every kind have."""

from __future__ import annotations

import math


def check_number(name: str, value: float, low: float, high: float = math.inf) -> None:
    """Refuses an option that is no finite number or lies outside of its bounds.

    Raises:
        ValueError: with the name of the option and its bounds.
    """
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value) or not low <= value <= high:
        bounds = f"of at least {low}" if high == math.inf else f"from {low} to {high}"
        raise ValueError(f"`{name}` must be a number {bounds}. Received: {name}={value!r}.")
