"""Bilinear resizing as `tf.image.resize` does it without antialias."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[Any]
_Neighbours = tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.float32]]

# Rows of the result that are made at once, so that what lies between stays in the cache.
_BAND = 16
_HALF = np.float32(0.5)


def squash(picture: Picture, size: int) -> npt.NDArray[np.uint8]:
    """Resizes a picture to a square.

    Args:
        picture: uint8 or float32 array `(height, width, 3)` in `[0, 255]`.
        size: int. Height and width of the result.

    Returns:
        uint8 array `(size, size, 3)`, rounded.
    """
    height, width = picture.shape[:2]
    if (height, width) == (size, size):
        return _round(picture)
    top, bottom, down = _neighbours(height, size)
    left, right, across = _neighbours(width, size)
    result = np.empty((size, size, 3), np.uint8)
    for start in range(0, size, _BAND):
        band = slice(start, start + _BAND)
        rows = picture[np.concatenate([top[band], bottom[band]])]
        # Columns before rows, as there: float32 rounds otherwise.
        columns = _between(*_take_columns(rows, left, right), across[:, None])
        upper, lower = np.split(columns, 2)
        result[band] = _round(_between(upper, lower, down[band, None, None])[..., :3])
    return result


def _round(picture: Picture) -> npt.NDArray[np.uint8]:
    return picture if picture.dtype == np.uint8 else (picture + _HALF).astype(np.uint8)


def _take_columns(
    rows: Picture, left: npt.NDArray[np.intp], right: npt.NDArray[np.intp]
) -> tuple[Picture, Picture]:
    """Returns two `(height, columns, channels)`; of uint8 with a fourth channel of no meaning."""
    if rows.dtype != np.uint8:
        return rows[:, left], rows[:, right]
    # A pixel of four bytes is taken as one number, in a fraction of the time.
    padded = np.empty((*rows.shape[:2], 4), np.uint8)
    padded[..., :3] = rows
    whole = padded.view(np.uint32)[..., 0]
    first, second = (np.take(whole, columns, axis=1) for columns in (left, right))
    shape = (len(rows), len(left), 4)
    return first.view(np.uint8).reshape(shape), second.view(np.uint8).reshape(shape)


def _neighbours(size: int, new_size: int) -> _Neighbours:
    """Returns the two places that each new one lies between, and how far it is from the first."""
    scale = np.float32(size) / np.float32(new_size)
    places = (np.arange(new_size, dtype=np.float32) + _HALF) * scale - _HALF
    before = np.floor(places)
    first = np.maximum(before, 0).astype(np.intp)
    second = np.minimum(np.ceil(places), size - 1).astype(np.intp)
    return first, second, places - before


def _between(first: Picture, second: Picture, share: Picture) -> npt.NDArray[np.float32]:
    start = first.astype(np.float32)
    change = np.subtract(second, start, dtype=np.float32)
    change *= share
    change += start
    return change
