"""Pictures from bytes to pixels, as `trainer.layers.picture_ops` decodes them."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFile, JpegImagePlugin

from serving.edge.pictures.jpeg import decode_jpeg
from serving.edge.pictures.resize import squash
from serving.edge.pictures.scans import JPEG, has_too_many_scans

MAX_FILE_BYTES = 64 * 2**20
MAX_PIXELS = 64_000_000
"""The trainer's limits: a small file may claim a picture that fills the memory."""

MIXED_PIXELS = 4_000_000
"""Transparent pictures of more are thinned out before their colours are mixed, as there."""

_FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP")


def decode_pictures(
    values: Sequence[bytes] | npt.NDArray[Any], image_size: int
) -> npt.NDArray[np.uint8]:
    """Decodes pictures and squashes them to a square.

    Takes JPEG, PNG, GIF and WebP (first frame) and BMP. Transparency is shown
    on white, but for that of GIF, which is black. EXIF rotation is not applied.

    Args:
        values: The bytes of picture files, `b""` where there is none.
        image_size: int. Height and width of the result in pixels.

    Returns:
        uint8 array `(batch, image_size, image_size, 3)`, RGB; zeros where there
        is no picture.

    Raises:
        ValueError: for bytes that cannot be decoded, and pictures that are too large.
    """
    pictures = np.zeros((len(values), image_size, image_size, 3), np.uint8)
    for row, value in enumerate(values):
        if value:
            try:
                pictures[row] = squash(_decode(value, image_size), image_size)
            except ValueError as error:
                raise ValueError(f"Picture of row {row}: {error}") from error
    return pictures


def _decode(encoded: bytes, image_size: int) -> npt.NDArray[Any]:
    """Returns uint8 or float32 `(height, width, 3)` in `[0, 255]`."""
    if len(encoded) > MAX_FILE_BYTES:
        raise ValueError(f"larger than {MAX_FILE_BYTES // 2**20} MB.")
    is_jpeg = encoded.startswith(JPEG)
    with _open(encoded) as image:
        try:
            if is_jpeg:
                jpeg = cast(JpegImagePlugin.JpegImageFile, image)
                return decode_jpeg(encoded, jpeg, image_size)
            return _on_white(_load(encoded, image))
        except MemoryError:
            raise
        # Decoders of broken files raise nearly anything: OSError, SyntaxError, struct.error ...
        except Exception as error:
            raise ValueError(f"truncated or broken {image.format}.") from error


def _open(encoded: bytes) -> ImageFile.ImageFile:
    try:
        image = Image.open(io.BytesIO(encoded), formats=_FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ValueError(f"more than {MAX_PIXELS} pixels.") from error
    except MemoryError:
        raise
    except Exception as error:
        raise ValueError(f"not a picture, or broken. Expected one of {_FORMATS}.") from error
    if image.width * image.height > MAX_PIXELS:
        raise ValueError(f"more than {MAX_PIXELS} pixels ({image.width} x {image.height}).")
    if has_too_many_scans(encoded, image.width * image.height):
        raise ValueError("broken, or made to take long: a JPEG of more scans than any needs.")
    return image


def _load(encoded: bytes, image: ImageFile.ImageFile) -> npt.NDArray[np.uint8]:
    """Returns `(height, width, channels)`: grey or RGB, perhaps with alpha."""
    if image.format == "BMP" and int.from_bytes(encoded[28:30], "little") == 32:
        return _load_wide_bmp(encoded, image.size)
    if image.format == "GIF":
        pixels = np.array(image.convert("RGBA"))
        return pixels[..., :3] * (pixels[..., 3:] > 0)
    if image.mode.startswith("I"):  # 16 bits
        return (np.asarray(image)[..., None] >> 8).astype(np.uint8)
    if image.mode not in ("L", "LA", "RGB", "RGBA"):
        mode = "L" if image.mode == "1" else "RGBA" if "transparency" in image.info else "RGB"
        pixels = np.asarray(image.convert(mode))
    else:
        pixels = np.asarray(image)
    return pixels if pixels.ndim == 3 else pixels[..., None]


def _load_wide_bmp(encoded: bytes, size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """Reads 32 bits a pixel as colour and alpha; Pillow takes the alpha for padding."""
    width, height = size
    start = int.from_bytes(encoded[10:14], "little")
    stored = np.frombuffer(encoded, np.uint8, width * height * 4, start)
    pixels = stored.reshape(height, width, 4)[..., [2, 1, 0, 3]]
    from_top = int.from_bytes(encoded[22:26], "little", signed=True) < 0
    return pixels if from_top else pixels[::-1]


def _on_white(picture: npt.NDArray[np.uint8]) -> npt.NDArray[Any]:
    """Makes three channels of one (grey), two (grey and alpha), three or four (with alpha)."""
    channels = picture.shape[-1]
    if channels == 3:
        return picture
    shape = (*picture.shape[:2], 3)
    if channels % 2:
        return np.broadcast_to(picture, shape)
    step = int(np.ceil(np.sqrt(np.float32(shape[0] * shape[1]) / np.float32(MIXED_PIXELS))))
    thinned = picture[::step, ::step].astype(np.float32)
    alpha = thinned[..., -1:] / np.float32(255)
    on_white = thinned[..., :-1] * alpha + np.float32(255) * (np.float32(1) - alpha)
    return np.broadcast_to(on_white, (*thinned.shape[:2], 3))
