"""Colours of a JPEG, with libjpeg's fixed-point numbers."""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt
from PIL import JpegImagePlugin

Plane = npt.NDArray[np.uint8]

_ADOBE_PLAIN = 0
_HALF = 1 << 15
# Rows that are converted at once, so that what lies between stays in the cache.
_BAND = 32


def has_luminance(image: JpegImagePlugin.JpegImageFile) -> bool:
    """Guesses as libjpeg does whether a file has luminance and chroma, or colours."""
    components = [layer[0] for layer in image.layer]
    transform = image.info.get("adobe_transform")
    if len(components) == 4:
        return "adobe" in image.info and transform != _ADOBE_PLAIN
    if len(components) != 3 or "jfif" in image.info:
        return True
    if "adobe" in image.info:
        return transform != _ADOBE_PLAIN
    return bytes(components) != b"RGB"


def from_luminance(luminance: Plane, cb: Plane, cr: Plane) -> Plane:
    """Returns `(height, width, 3)`, RGB."""
    table = _chroma_table()
    colours = np.empty((*luminance.shape, 3), np.uint8)
    for start in range(0, len(colours), _BAND):
        band = slice(start, start + _BAND)
        chroma = cb[band].astype(np.uint16) << 8 | cr[band]
        added = np.take(table, chroma).view(np.int16).reshape(*chroma.shape, 4)
        added += luminance[band, :, None]
        colours[band] = np.clip(added, 0, 255, out=added)[..., :3]
    return colours


@functools.cache
def _chroma_table() -> npt.NDArray[np.uint64]:
    """Returns what 256 * cb + cr adds to red, green and blue: int16, four to a number."""
    cb, cr = np.arange(-128, 128)[:, None], np.arange(-128, 128)[None, :]
    red = (91881 * cr + _HALF) >> 16  # 1.402
    green = (-22554 * cb - 46802 * cr + _HALF) >> 16  # 0.34414, 0.71414
    blue = (116130 * cb + _HALF) >> 16  # 1.772
    parts = np.broadcast_arrays(red, green, blue, 0)
    return np.stack(parts, axis=-1).astype(np.int16).view(np.uint64).ravel()


def from_inks(inks: Plane, black: Plane, inverted: bool) -> Plane:
    """Returns RGB of cyan, magenta and yellow `(height, width, 3)` and black.

    Args:
        inks, black: uint8 arrays.
        inverted: bool. Whether they say how much light is left, as Adobe's do.
    """
    wide = inks.astype(np.uint16)
    light = black.astype(np.uint16)[..., None]
    if not inverted:
        wide, light = 255 - wide, 255 - light
    return (wide * light // 255).astype(np.uint8)
