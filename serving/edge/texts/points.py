"""Sets of code points, and tables for `str.translate` that fill themselves."""

from __future__ import annotations

import abc
import bisect

# Far more than the texts of one shop have; a stream of random ones must not fill the memory.
_MAX_KNOWN = 20_000


class PointSet:
    """A set of code points.

    Args:
        ranges: str. Hexadecimal points and ranges in ascending order, such as
            `"AD 2060-206F"`.
    """

    def __init__(self, ranges: str) -> None:
        pairs = [part.split("-") for part in ranges.split()]
        self._firsts = [int(pair[0], 16) for pair in pairs]
        self._lasts = [int(pair[-1], 16) for pair in pairs]

    def to_pattern(self) -> str:
        """Returns the set as what stands between the brackets of a regular expression."""
        pairs = zip(self._firsts, self._lasts, strict=True)
        return "".join(f"{chr(first)}-{chr(last)}" for first, last in pairs)

    def __contains__(self, point: int) -> bool:
        index = bisect.bisect_right(self._firsts, point) - 1
        return index >= 0 and point <= self._lasts[index]


class PointTable(dict[int, str], abc.ABC):
    """What to write for a code point, worked out when it is first met."""

    def __missing__(self, point: int) -> str:
        if len(self) >= _MAX_KNOWN:
            self.clear()
        self[point] = text = self.write(point)
        return text

    @abc.abstractmethod
    def write(self, point: int) -> str:
        """Returns what is written for a code point."""
