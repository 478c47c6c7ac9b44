"""Heat maps to lay over a picture."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image

FOR, AGAINST = (213, 94, 0), (0, 90, 181)
"""Orange and blue, which people with any colour vision tell apart."""
_SIDE = 128
_MOST_OPAQUE = 200
_ROWS, _COLUMNS = ("top", "middle", "bottom"), ("left", "centre", "right")


def draw_heat_map(regions: np.ndarray) -> str:
    """Returns scores of regions as the data URI of a PNG that lets the picture through.

    Args:
        regions: float array `(rows, columns)`; the strongest is the most opaque.
    """
    strongest = float(np.abs(regions).max()) or 1.0
    size = (_SIDE, _SIDE)
    smooth = np.asarray(
        Image.fromarray((regions / strongest).astype(np.float32)).resize(
            size, Image.Resampling.BILINEAR
        )
    )
    pixels = np.empty((*smooth.shape, 4), np.uint8)
    pixels[..., :3] = np.where(smooth[..., None] > 0, FOR, AGAINST)
    pixels[..., 3] = np.clip(np.abs(smooth), 0, 1) * _MOST_OPAQUE
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def tell_regions(regions: np.ndarray, *, most: int = 3) -> list[tuple[str, float]]:
    """Sums regions over thirds of the picture, those that speak for the label, most first.

    Returns:
        Pairs such as `("top left", 0.12)`.
    """
    sums: dict[str, float] = {}
    for (row, column), score in np.ndenumerate(regions):
        place = _name(row * 3 // regions.shape[0], column * 3 // regions.shape[1])
        sums[place] = sums.get(place, 0.0) + float(score)
    ranked = sorted(sums.items(), key=lambda pair: -pair[1])
    return [pair for pair in ranked[:most] if pair[1] > 0]


def _name(row: int, column: int) -> str:
    return "centre" if row == column == 1 else f"{_ROWS[row]} {_COLUMNS[column]}"
