"""Mean, deviation and extremes of numbers."""

from __future__ import annotations

import math

# Every finite float64 is a whole multiple of 2 ** -1074.
_SHIFT = 1074


class Moments:
    """Counts, sums and extremes that any split of the numbers merges to, bit for bit.

    Sums of the numbers and of their squares are kept as integers, without rounding: so
    neither the order nor cancellation matters, and mean and deviation are rounded once.
    """

    def __init__(self) -> None:
        self.count = 0
        self.zeros = 0
        self.min = math.inf
        self.max = -math.inf
        self._sum = 0
        self._squares = 0

    def add(self, value: float) -> None:
        """Takes in a finite number."""
        numerator, denominator = value.as_integer_ratio()
        exponent = denominator.bit_length() - 1
        self.count += 1
        self.zeros += value == 0
        self.min = min(self.min, value)
        self.max = max(self.max, value)
        self._sum += numerator << (_SHIFT - exponent)
        self._squares += numerator**2 << 2 * (_SHIFT - exponent)

    def merge(self, other: Moments) -> None:
        """Takes in what another one has."""
        self.count += other.count
        self.zeros += other.zeros
        self.min = min(self.min, other.min)
        self.max = max(self.max, other.max)
        self._sum += other._sum
        self._squares += other._squares

    @property
    def mean(self) -> float:
        """NaN where there are no numbers."""
        return self._sum / (self.count << _SHIFT) if self.count else math.nan

    @property
    def std_dev(self) -> float:
        """Of the numbers as the whole population, as TensorFlow Data Validation has it."""
        if not self.count:
            return math.nan
        spread = self.count * self._squares - self._sum**2
        return math.sqrt(spread / (self.count**2 << 2 * _SHIFT))
