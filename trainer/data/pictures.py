"""Reads picture files into bytes that TensorFlow is sure to decode."""

from __future__ import annotations

import io
import math
import re
from pathlib import Path

import numpy as np
from PIL import Image

from trainer.data.cells import as_text
from trainer.data.picture_structure import is_whole_jpeg, is_whole_png
from trainer.inputs import MAX_PIXELS

SUFFIXES = (".jpg", ".jpeg", ".png", ".gif", ".webp", ".tif", ".tiff", ".bmp", ".avif")
MAX_FILE_BYTES = 64 * 2**20
KEPT_PIXELS = 2_000_000
"""Larger pictures are made smaller on reading: no encoder looks at as many
pixels, and a phone's 48 megapixels take 150 MB each when decoded."""

# Others are opened but not decoded: EPS, for one, would start another program.
_FORMATS = ("JPEG", "MPO", "PNG", "GIF", "WEBP", "TIFF", "BMP", "AVIF", "JPEG2000", "PPM", "TGA")
_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8")
_JPEG_SIDE = 65_500
_EXIF_ORIENTATION = 0x0112
_UPRIGHT = 1
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class PictureError(ValueError):
    """Says in one clause why a cell gives no picture."""


def read_picture(cell: object, folder: Path) -> bytes:
    """Reads the picture that a cell holds or names.

    Args:
        cell: Encoded `bytes`, or a path, absolute or relative to `folder`.
        folder: Folder of the table.

    Returns:
        The encoded picture as `standardize` gives it.

    Raises:
        PictureError: if there is none; the clause ends with the path.
    """
    encoded, shown = load_file(cell, folder)
    try:
        return standardize(encoded)
    except PictureError as error:
        raise PictureError(f"{error}: {shown}") from error


def load_file(cell: object, folder: Path) -> tuple[bytes, str]:
    """Returns the bytes of a cell's file as they are, and a short name for messages.

    Raises:
        PictureError: as `read_picture`.
    """
    if isinstance(cell, (bytes, bytearray, memoryview)):
        return bytes(cell), f"{len(cell)} bytes in the cell"
    text = as_text(cell)
    shown = _shown(text)
    if re.match(r"file://", text, re.IGNORECASE):
        raise PictureError(f"{shown} is a URL; give a path")
    if re.match(r"\w[\w+.-]+://|data:", text):
        raise PictureError(f"{shown} is a URL; download pictures first")
    try:
        # Tables made on Windows have backslashes.
        path = folder / text.replace("\\", "/")
        if not path.exists():
            raise PictureError(f"file not found: {shown}")
        if not path.is_file():
            raise PictureError(f"not a file: {shown}")
        if path.stat().st_size > MAX_FILE_BYTES:
            raise PictureError(f"larger than {MAX_FILE_BYTES // 2**20} MB: {shown}")
        return path.read_bytes(), shown
    except OSError as error:
        raise PictureError(f"cannot be read ({error.strerror}): {shown}") from error


def _shown(text: str) -> str:
    """Returns a path fit for one line of a message."""
    # Neither line breaks nor lone surrogates, which no file can hold.
    printable = "".join(c if c.isprintable() else "?" for c in text[:81])
    return printable if len(printable) <= 80 else f"{printable[:77]}..."


def standardize(encoded: bytes) -> bytes:
    """Returns a JPEG or PNG that every decoder reads alike, or refuses.

    A plain JPEG or PNG (RGB or grey, 8 bits, upright, at most `KEPT_PIXELS`)
    is returned unchanged, after it was decoded once to find broken ones. All
    others become an RGB PNG: the first frame, upright, transparency over
    white, reduced to `KEPT_PIXELS`. A JPEG that is only too large stays JPEG.

    Raises:
        PictureError: `"not a picture"`, `"truncated or broken"`, `"too many
            pixels (W x H)"`, ...
    """
    if not encoded:
        raise PictureError("empty file")
    if len(encoded) > MAX_FILE_BYTES:
        raise PictureError(f"larger than {MAX_FILE_BYTES // 2**20} MB")
    with open_picture(encoded) as image:
        try:
            return _checked(image, encoded)
        # Decoders of broken files raise nearly anything: OSError, SyntaxError, struct.error ...
        except Exception as error:
            raise PictureError("truncated or broken") from error


def open_picture(encoded: bytes) -> Image.Image:
    """Opens a picture without decoding it.

    Raises:
        PictureError: if it is none, or has more than `MAX_PIXELS`.
    """
    try:
        image = Image.open(io.BytesIO(encoded))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureError("too many pixels") from error
    except Exception as error:
        known = encoded.startswith(_SIGNATURES)
        raise PictureError("truncated or broken" if known else "not a picture") from error
    if image.format not in _FORMATS:
        raise PictureError(f"not a picture of a known format ({image.format})")
    if image.width * image.height > MAX_PIXELS:
        raise PictureError(f"too many pixels ({image.width} x {image.height})")
    return image


def write_picture(pixels: Image.Image) -> bytes:
    """Returns an RGB picture as a JPEG of high quality, or as PNG where JPEG cannot hold it."""
    return _write(pixels, "JPEG" if max(pixels.size) <= _JPEG_SIDE else "PNG")


def _checked(image: Image.Image, encoded: bytes) -> bytes:
    orientation = _orientation(image)
    plain = orientation == _UPRIGHT and _is_plain(image, encoded)
    if not plain:
        return _converted(image, orientation, "PNG")
    if image.width * image.height > KEPT_PIXELS:
        return _converted(image, orientation, str(image.format))
    # The luminance at 1/8 of the size: reads all of a JPEG at a fraction of the cost.
    image.draft("L", (1, 1))
    image.load()
    return encoded


def _orientation(image: Image.Image) -> int:
    if image.format not in ("JPEG", "MPO"):
        # EXIF may follow the pixels, which are then decoded first: outside of
        # the `try`, or a truncated picture would pass for one without EXIF.
        image.load()
    try:
        value = image.getexif().get(_EXIF_ORIENTATION, _UPRIGHT)
    except Exception:
        # Broken EXIF beside sound pixels is common.
        return _UPRIGHT
    return value if value in _TURNS else _UPRIGHT


def _is_plain(image: Image.Image, encoded: bytes) -> bool:
    if image.mode not in ("L", "RGB") or "transparency" in image.info:
        return False
    if image.format == "PNG":
        # Byte 24 is the bit depth: Pillow opens 16-bit colour as RGB too.
        still = getattr(image, "n_frames", 1) == 1
        return encoded[24] == 8 and still and is_whole_png(encoded)
    return image.format == "JPEG" and is_whole_jpeg(encoded)


def _converted(image: Image.Image, orientation: int, target: str) -> bytes:
    scale = min(1.0, math.sqrt(KEPT_PIXELS / (image.width * image.height)))
    size = (max(1, int(image.width * scale)), max(1, int(image.height * scale)))
    image.draft(None, size)
    pixels = _flattened(image)
    if pixels.size != size:
        pixels = pixels.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    if orientation != _UPRIGHT:
        pixels = pixels.transpose(_TURNS[orientation])
    # Colour profiles and notes would be written too.
    pixels.info = {}
    return _write(pixels, target)


def _write(pixels: Image.Image, target: str) -> bytes:
    buffer = io.BytesIO()
    options = {"quality": 95, "subsampling": 0} if target == "JPEG" else {"compress_level": 1}
    pixels.save(buffer, target, **options)
    return buffer.getvalue()


def _flattened(image: Image.Image) -> Image.Image:
    """Returns the frame as RGB, transparency over white."""
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(white, layer).convert("RGB")
    if image.mode.startswith(("I", "F")):
        values = np.asarray(image, dtype=np.float64)
        top = 65535 if values.max() > 255 else 255
        grey = np.clip(values * (255 / top), 0, 255).round().astype(np.uint8)
        return Image.fromarray(grey).convert("RGB")
    return image.convert("RGB")
