"""JPEG as `tf.io.decode_jpeg` decodes it, which is not how Pillow does by default.

TensorFlow takes libjpeg's fast cosine transform and its smooth enlarging of
colour; Pillow has either the accurate transform with the smooth enlarging, or
the fast one with a coarse one. The coarse one only repeats values, so that
they can be taken out again and enlarged here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, JpegImagePlugin

from serving.edge.pictures.jpeg_colour import from_inks, from_luminance, has_luminance
from serving.edge.pictures.jpeg_enlarge import enlarge

_BLOCK = 8
# A JPEG can be decoded at a fraction of its size, in less time and without aliasing.
_FRACTIONS = (8, 4, 2)
_FAST = 1


def decode_jpeg(
    encoded: bytes, image: JpegImagePlugin.JpegImageFile, image_size: int
) -> npt.NDArray[np.uint8]:
    """Decodes a JPEG at the smallest fraction that is no smaller than a square.

    Args:
        encoded: bytes. The file.
        image: The same as Pillow opened it, for what its header says.
        image_size: int. Side of the square.

    Returns:
        uint8 array `(height, width, 3)`.

    Raises:
        ValueError: for a truncated or broken file.
    """
    fits = (fraction for fraction in _FRACTIONS if min(image.size) >= fraction * image_size)
    fraction = next(fits, 1)
    luminance = has_luminance(image)
    components = _load(encoded, image, fraction, luminance)
    if components.ndim == 2:
        return np.repeat(components[..., None], 3, axis=2)
    planes = _enlarge_all(components, image.layer, _BLOCK // fraction)
    colours = from_luminance(*planes[:3]) if luminance else np.stack(planes[:3], axis=-1)
    if len(planes) == 3:
        return colours
    inks = 255 - colours if luminance else colours
    return from_inks(inks, planes[3], inverted="adobe" in image.info)


def _load(
    encoded: bytes, image: JpegImagePlugin.JpegImageFile, fraction: int, luminance: bool
) -> npt.NDArray[np.uint8]:
    """Returns the components as they are in the file, repeated to the size of the largest."""
    size = (-(-image.width // fraction), -(-image.height // fraction))
    mode, stored = image.mode, ""
    if luminance and mode == "RGB":
        mode = "YCbCr"
    elif luminance and mode == "CMYK":
        stored = "YCbCrK"
    loaded = Image.frombytes(mode, size, encoded, "jpeg", mode, stored, fraction, _FAST)
    return np.asarray(loaded)


def _enlarge_all(
    components: npt.NDArray[np.uint8], layers: list[tuple[Any, ...]], block: int
) -> list[npt.NDArray[np.uint8]]:
    """Enlarges each component smoothly where libjpeg decodes it smaller than the largest.

    Args:
        components: uint8 array `(height, width, components)`.
        layers: Of each component its id, and its sampling across and down.
        block: int. Side of a decoded block of the largest component.
    """
    most_across, most_down = (max(layer[axis] for layer in layers) for axis in (1, 2))
    planes = []
    for index, (_, across, down, *_) in enumerate(layers):
        # A smaller component is decoded at twice the size as long as that is not too large.
        side = block
        while (
            side < _BLOCK
            and most_across * block % (across * side * 2) == 0
            and most_down * block % (down * side * 2) == 0
        ):
            side *= 2
        times = most_across * block / (across * side), most_down * block / (down * side)
        plane = components[..., index]
        planes.append(plane if block == 1 else enlarge(plane, *times))
    return planes
