"""Numbers of any origin: moments and distribution."""

from __future__ import annotations

from typing import Any

from components.statistics.messages import add_buckets, add_number
from components.statistics.moments import Moments
from components.statistics.number_counts import NumberCounts, quantiles


class Numbers:
    """Moments and counts of finite numbers."""

    def __init__(self) -> None:
        self.moments = Moments()
        self.counts = NumberCounts()

    def add(self, value: float) -> None:
        """Takes in a finite number."""
        self.moments.add(value)
        self.counts.add(value)

    def merge(self, other: Numbers) -> None:
        """Takes in what another one has."""
        self.moments.merge(other.moments)
        self.counts.merge(other.counts)

    def quantiles(self, shares: list[float]) -> list[float]:
        """Returns quantiles between the lowest and the highest number; see `number_counts`."""
        found = quantiles(self.counts.buckets(), shares)
        return [min(max(value, self.moments.min), self.moments.max) for value in found]

    def write(self, feature: Any, name: str) -> None:
        """Writes them as custom statistics that `components.statistics.measures` reads.

        Args:
            feature: `FeatureNameStatistics`.
            name: Of what was measured, such as `characters`.
        """
        if not self.moments.count:
            return
        add_number(feature, f"{name}/mean", self.moments.mean)
        add_number(feature, f"{name}/std_dev", self.moments.std_dev)
        add_number(feature, f"{name}/min", self.moments.min)
        add_number(feature, f"{name}/median", self.quantiles([0.5])[0])
        add_number(feature, f"{name}/max", self.moments.max)
        add_buckets(feature, f"{name}/buckets", self.counts.buckets())
