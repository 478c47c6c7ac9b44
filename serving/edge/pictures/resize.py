"""Bilinear resizing as `tf.image.resize` does it without antialias."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[Any]
_Neighbours = tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.float32]]


def squash(picture: Picture, size: int) -> npt.NDArray[np.uint8]:
    """Resizes a picture to a square.

    Args:
        picture: uint8 or float32 array `(height, width, channels)` in `[0, 255]`.
        size: int. Height and width of the result.

    Returns:
        uint8 array `(size, size, channels)`, rounded.
    """
    height, width = picture.shape[:2]
    if (height, width) != (size, size):
        picture = _resize(picture, size)
    if picture.dtype == np.uint8:
        return picture
    return (picture + np.float32(0.5)).astype(np.uint8)


def _resize(picture: Picture, size: int) -> npt.NDArray[np.float32]:
    top, bottom, down = _neighbours(picture.shape[0], size)
    left, right, across = _neighbours(picture.shape[1], size)
    if picture.shape[0] > 2 * size:
        # Rows that no result looks at need no columns.
        picture = np.concatenate([picture[top], picture[bottom]])
        top, bottom = np.arange(size), np.arange(size, 2 * size)
    # Columns before rows, as there: float32 rounds otherwise.
    columns = _between(picture[:, left], picture[:, right], across[:, None])
    return _between(columns[top], columns[bottom], down[:, None, None])


def _neighbours(size: int, new_size: int) -> _Neighbours:
    """Returns the two places that each new one lies between, and how far it is from the first."""
    scale = np.float32(size) / np.float32(new_size)
    half = np.float32(0.5)
    places = (np.arange(new_size, dtype=np.float32) + half) * scale - half
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
