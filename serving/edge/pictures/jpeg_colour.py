"""Colours of a JPEG, with libjpeg's fixed-point numbers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import JpegImagePlugin

Plane = npt.NDArray[np.uint8]

_ADOBE_PLAIN = 0
_HALF = 1 << 15
_CHROMA = np.arange(-128, 128)
_RED_OF_CR = ((91881 * _CHROMA + _HALF) >> 16).astype(np.int16)  # 1.402
_BLUE_OF_CB = ((116130 * _CHROMA + _HALF) >> 16).astype(np.int16)  # 1.772
_GREEN_OF_CB = (-22554 * _CHROMA + _HALF).astype(np.int32)  # 0.34414
_GREEN_OF_CR = (-46802 * _CHROMA).astype(np.int32)  # 0.71414


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
    light = luminance.astype(np.int16)
    green = _GREEN_OF_CB[cb]
    green += _GREEN_OF_CR[cr]
    green >>= 16
    colours = np.empty((*light.shape, 3), np.uint8)
    added = (_RED_OF_CR[cr], green.astype(np.int16), _BLUE_OF_CB[cb])
    for index, plane in enumerate(added):
        colours[..., index] = np.clip(plane + light, 0, 255)
    return colours


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
