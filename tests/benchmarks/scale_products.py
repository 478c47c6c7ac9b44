"""Tables of any number of products, with pictures, for `scale.py`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

SIDES = {"tiny": 16, "20 kB": 190}
_WORDS = [f"word{index}" for index in range(2000)]


@dataclass(frozen=True)
class Products:
    """A table that is measured.

    Args:
        folder: Of the table, and of what the steps make of it.
        pictures: Of which size, of `SIDES`.
        count: int.
    """

    folder: Path
    pictures: str
    count: int

    @property
    def table(self) -> Path:
        """Path of the table."""
        return self.folder / "products.csv"

    def write(self) -> None:
        """Writes the table and a picture a row."""
        side, rows = SIDES[self.pictures], self.count
        rng = np.random.default_rng(0)
        titles = rng.integers(0, len(_WORDS), (rows, 9))
        for start in range(0, rows, 1000):
            (self.folder / f"pictures/{start}").mkdir(parents=True)
        for row in range(rows):
            coarse = rng.integers(0, 255, (max(4, side // 2), max(4, side // 2), 3), np.uint8)
            picture = Image.fromarray(coarse).resize((side, side), Image.Resampling.BILINEAR)
            picture.save(self.folder / _picture(row), quality=85)
        frame = pd.DataFrame(
            {
                "id": [f"p{row}" for row in range(rows)],
                "title": [" ".join(_WORDS[word] for word in own) for own in titles],
                "price": rng.uniform(1, 500, rows).round(2),
                "picture": [_picture(row) for row in range(rows)],
                "category": [f"class {row % 7}" for row in range(rows)],
            }
        )
        frame.to_csv(self.table, index=False)


def _picture(row: int) -> str:
    return f"pictures/{row // 1000 * 1000}/{row}.jpg"
