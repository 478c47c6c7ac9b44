"""Statistics of a column of pictures."""

from __future__ import annotations

from typing import Any

from components.statistics.contents import Contents
from components.statistics.distinct import hash_value
from components.statistics.messages import add_number
from components.statistics.numbers import Numbers
from components.statistics.picture_measures import measure_picture
from components.statistics.value_counts import ValueCounts

MEASURES = (
    "width",
    "height",
    "megapixels",
    "kilobytes",
    "red",
    "green",
    "blue",
    "warmth",
    "tint",
    "brightness",
    "sharpness",
)
FORMATS, BROKEN = "image_format_histogram", "UNKNOWN"
"""As TensorFlow Data Validation names them."""


class PictureColumn:
    """Size, colour, sharpness, format and what is there twice."""

    type = "BYTES"

    def __init__(self) -> None:
        self._measures = {name: Numbers() for name in MEASURES}
        self._formats = ValueCounts()
        self._bytes = Numbers()
        self.files = Contents()
        self.looks = Contents()

    def add(self, value: bytes, row: int, record_id: str) -> None:
        """Takes in the picture of a record.

        Raises:
            PictureError: if it cannot be decoded; then it does not count.
        """
        picture = measure_picture(value)
        for name in set(MEASURES) - {"megapixels", "kilobytes"}:
            self._measures[name].add(float(getattr(picture, name)))
        self._measures["megapixels"].add(picture.width * picture.height / 1e6)
        self._measures["kilobytes"].add(len(value) / 1000)
        self._formats.add(row, (picture.format,))
        self._bytes.add(float(len(value)))
        self.files.add(hash_value(value), record_id)
        if picture.look is not None:
            self.looks.add(picture.look, record_id)

    def merge(self, other: PictureColumn) -> None:
        """Takes in what another one has."""
        for name, numbers in other._measures.items():
            self._measures[name].merge(numbers)
        self._formats.merge(other._formats)
        self._bytes.merge(other._bytes)
        self.files.merge(other.files)
        self.looks.merge(other.looks)

    def write(self, feature: Any) -> Any:
        """Fills a `FeatureNameStatistics`; returns the message that has its `common_stats`."""
        stats = feature.bytes_stats
        stats.SetInParent()
        size = self._bytes.moments
        if size.count:
            stats.unique = self.files.distinct
            stats.avg_num_bytes, stats.min_num_bytes = size.mean, size.min
            stats.max_num_bytes = size.max
            stats.max_num_bytes_int = int(size.max)
            for side in ("width", "height"):
                add_number(feature, f"image_max_{side}", self._measures[side].moments.max)
        for name, numbers in self._measures.items():
            numbers.write(feature, name)
        return stats

    def formats(self) -> list[tuple[str, int]]:
        """Returns formats and the number of their pictures."""
        return self._formats.most_common()

    def records(self) -> dict[str, Any]:
        """Returns nothing: broken pictures are noted where all broken cells are."""
        return {}
