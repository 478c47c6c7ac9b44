"""Smooth enlarging of the components of a JPEG, as libjpeg's "fancy upsampling"."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Plane = npt.NDArray[np.uint8]
_Numbers = npt.NDArray[np.int16]


def enlarge(plane: Plane, across: float, down: float) -> Plane:
    """Smoothes a plane whose values were repeated.

    Args:
        plane: uint8 array `(height, width)`.
        across, down: How often each value is repeated. libjpeg smoothes where
            one is 2 and the other 1 or 2, and leaves what is repeated otherwise.

    Returns:
        uint8 array of the same shape, a mixture of three quarters of the
        nearest value and one of the next, in each direction.

    Reference:
        libjpeg-turbo, `jdsample.c`, with its rounding.
    """
    height, width = plane.shape
    if (across, down) == (1, 2):
        rows = _mix_rows(plane[::2].astype(np.int16))
        rows[::2] += 1
        rows[1::2] += 2
        return (rows[:height] >> 2).astype(np.uint8)
    # Of two values or fewer there is nothing between that would be worth the effort.
    if across != 2 or down not in (1, 2) or -(-width // 2) <= 2:
        return plane
    small = plane[:: int(down), ::2].astype(np.int16)
    if down == 1:
        mixed = _mix_columns(small, (1, 2))
        mixed[:, 0], mixed[:, -1] = 4 * small[:, 0], 4 * small[:, -1]
        return (mixed[:, :width] >> 2).astype(np.uint8)
    mixed = _mix_columns(_mix_rows(small), (8, 7))
    return (mixed[:height, :width] >> 4).astype(np.uint8)


def _mix_rows(small: _Numbers) -> _Numbers:
    """Returns 3 times the nearest row and once the next, twice as many rows."""
    padded = np.pad(small, ((1, 1), (0, 0)), mode="edge")
    triple = 3 * small
    mixed = np.empty((2 * len(small), small.shape[1]), np.int16)
    np.add(triple, padded[:-2], out=mixed[::2])
    np.add(triple, padded[2:], out=mixed[1::2])
    return mixed


def _mix_columns(small: _Numbers, rounding: tuple[int, int]) -> _Numbers:
    """Does the same to columns, and adds what rounds the left and the right ones of each pair."""
    padded = np.pad(small, ((0, 0), (1, 1)), mode="edge")
    triple = 3 * small
    mixed = np.empty((len(small), 2 * small.shape[1]), np.int16)
    np.add(triple + np.int16(rounding[0]), padded[:, :-2], out=mixed[:, ::2])
    np.add(triple + np.int16(rounding[1]), padded[:, 2:], out=mixed[:, 1::2])
    return mixed
