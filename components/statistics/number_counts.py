"""How numbers are distributed: exactly while they are few, then on a grid."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

MAX_EXACT = 1000
"""So many different numbers are counted one by one."""
RELATIVE_ERROR = 0.005
"""On the grid a number is known up to this share of itself."""
COARSE = 16
"""So many cells make one where numbers are counted by label: 17 % from end to end."""

_LOG_MAX = math.log(np.finfo(np.float64).max)
_LOG_GAMMA = math.log1p(2 * RELATIVE_ERROR / (1 - RELATIVE_ERROR))
# The cell of the smallest float64 is above 0, so that the sign is free for that of the number.
_OFFSET = 2 + math.ceil(-math.log(5e-324) / _LOG_GAMMA)


def cell_of(value: float) -> int:
    """Returns the cell of the grid that a finite number is in; cells are in order."""
    if value == 0:
        return 0
    cell = _OFFSET + math.ceil(math.log(abs(value)) / _LOG_GAMMA)
    return cell if value > 0 else -cell


def coarse_cell(value: float) -> int:
    """Returns the cell of a grid that is `COARSE` times as wide; cells are in order."""
    return cell_of(value) // COARSE


def cell_bounds(cell: int) -> tuple[float, float]:
    """Returns the lowest and the highest number of a cell."""
    if cell == 0:
        return 0.0, 0.0
    near, far = (_power(abs(cell) - _OFFSET - step) for step in (1, 0))
    return (near, far) if cell > 0 else (-far, -near)


def _power(exponent: int) -> float:
    return math.exp(min(exponent * _LOG_GAMMA, _LOG_MAX))


class NumberCounts:
    """Counts of numbers that any split of them merges to.

    While there are at most `MAX_EXACT` different numbers, each is counted. Beyond, cells are
    counted whose bounds are a fixed geometric series, the same for all data. Which of the
    two depends on the numbers alone, not on their order or on who has counted them.

    Reference:
        Masson et al., 2019, "DDSketch", arXiv:1908.10693, whose cells these are; never
        collapsed, as float64 has no more than 150,000 of them.
    """

    def __init__(self) -> None:
        self.exact: Counter[float] | None = Counter()
        self._cells: Counter[int] = Counter()

    def add(self, value: float) -> None:
        """Takes in a finite number."""
        if self.exact is None:
            self._cells[cell_of(value)] += 1
        else:
            self.exact[value + 0.0] += 1  # one zero, without a sign
            self._limit()

    def merge(self, other: NumberCounts) -> None:
        """Takes in what another one has."""
        if other.exact is None and self.exact is not None:
            self._coarsen()
        if self.exact is not None and other.exact is not None:
            self.exact.update(other.exact)
            self._limit()
        else:
            self._cells.update(other.cells())

    def cells(self) -> Counter[int]:
        """Returns the counts by cell of the grid."""
        return self._cells if self.exact is None else to_cells(self.exact.items())

    def buckets(self) -> list[tuple[float, float, int]]:
        """Returns `(lowest, highest, count)` in order; both are the same where it is exact."""
        if self.exact is not None:
            return [(value, value, self.exact[value]) for value in sorted(self.exact)]
        return [(*cell_bounds(cell), self._cells[cell]) for cell in sorted(self._cells)]

    def _limit(self) -> None:
        if self.exact is not None and len(self.exact) > MAX_EXACT:
            self._coarsen()

    def _coarsen(self) -> None:
        self._cells, self.exact = self.cells(), None


def to_cells(counts: Iterable[tuple[float, Any]]) -> Counter[Any]:
    """Returns counts by cell of counts by number."""
    cells: Counter[Any] = Counter()
    for value, count in counts:
        cells[cell_of(value)] += count
    return cells


def quantiles(
    buckets: Sequence[tuple[float, float, float]], shares: Sequence[float]
) -> list[float]:
    """Returns quantiles as `numpy.quantile` defines them.

    Args:
        buckets: As `NumberCounts.buckets` returns them.
        shares: In [0, 1].

    Returns:
        Exact where the buckets are. Otherwise each of the two numbers between which NumPy
        interpolates is off by at most `RELATIVE_ERROR` of itself. NaN where there are none.
    """
    if not buckets:
        return [math.nan for _ in shares]
    low, high, counts = np.array(buckets).T
    # The point of a cell from which both of its bounds are equally far, relatively.
    values = np.where(low == high, low, _balance(low, high))
    above = np.cumsum(counts)
    ranks = np.array(shares) * (above[-1] - 1)
    below, over = (
        values[np.searchsorted(above, rank, side="right").clip(max=len(values) - 1)]
        for rank in (np.floor(ranks), np.ceil(ranks))
    )
    return [float(value) for value in below + (over - below) * (ranks - np.floor(ranks))]


def _balance(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    total = low + high
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.where(total == 0, 0.0, 2 * low * (high / total))
