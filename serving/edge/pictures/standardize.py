"""Picture files as training reads them: what `trainer.data.pictures` does, in bounded memory."""

from __future__ import annotations

import io
import math

import numpy as np
from PIL import Image

from serving.edge.pictures.decode import MAX_FILE_BYTES, MAX_PIXELS
from serving.edge.pictures.scans import has_too_many_scans
from serving.edge.pictures.structure import is_whole_jpeg, is_whole_png

KEPT_PIXELS = 2_000_000
"""Larger pictures are made smaller on reading."""

# Others are opened but not decoded: EPS, for one, would start another program.
_FORMATS = ("JPEG", "MPO", "PNG", "GIF", "WEBP", "TIFF", "BMP", "AVIF", "JPEG2000", "PPM", "TGA")
_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8")
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
# Pixels that are converted at once.
_BAND_PIXELS = 2**20


class PictureError(ValueError):
    """Says in one clause why there is no picture."""


def standardize(encoded: bytes) -> bytes:
    """Returns the JPEG or PNG that training would have read, or refuses.

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
    with _open(encoded) as image:
        if has_too_many_scans(encoded, image.width * image.height):
            raise PictureError("broken, or made to take long: a JPEG of more scans than any needs")
        try:
            return _check(image, encoded)
        except MemoryError:
            raise
        # Decoders of broken files raise nearly anything: OSError, SyntaxError, struct.error ...
        except Exception as error:
            raise PictureError("truncated or broken") from error


def _open(encoded: bytes) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(encoded))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureError("too many pixels") from error
    except MemoryError:
        raise
    except Exception as error:
        known = encoded.startswith(_SIGNATURES)
        raise PictureError("truncated or broken" if known else "not a picture") from error
    if image.format not in _FORMATS:
        raise PictureError(f"not a picture of a known format ({image.format})")
    if image.width * image.height > MAX_PIXELS:
        raise PictureError(f"too many pixels ({image.width} x {image.height})")
    return image


def _check(image: Image.Image, encoded: bytes) -> bytes:
    orientation = _find_orientation(image)
    if orientation != _UPRIGHT or not _is_plain(image, encoded):
        return _convert(image, orientation, "PNG")
    if image.width * image.height > KEPT_PIXELS:
        return _convert(image, orientation, str(image.format))
    # The luminance at 1/8 of the size: reads all of a JPEG at a fraction of the cost.
    image.draft("L", (1, 1))
    image.load()
    return encoded


def _find_orientation(image: Image.Image) -> int:
    if image.format not in ("JPEG", "MPO"):
        # EXIF may follow the pixels, which are then decoded first: outside of
        # the `try`, or a truncated picture would pass for one without EXIF.
        image.load()
    try:
        value = image.getexif().get(_EXIF_ORIENTATION, _UPRIGHT)
    except MemoryError:
        raise
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


def _convert(image: Image.Image, orientation: int, target: str) -> bytes:
    scale = min(1.0, math.sqrt(KEPT_PIXELS / (image.width * image.height)))
    size = (max(1, int(image.width * scale)), max(1, int(image.height * scale)))
    image.draft(None, size)
    pixels = _flatten(image)
    if pixels.size != size:
        pixels = pixels.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    if orientation != _UPRIGHT:
        pixels = pixels.transpose(_TURNS[orientation])
    # Colour profiles and notes would be written too.
    pixels.info = {}
    buffer = io.BytesIO()
    options = {"quality": 95, "subsampling": 0} if target == "JPEG" else {"compress_level": 1}
    pixels.save(buffer, target, **options)
    return buffer.getvalue()


def _flatten(image: Image.Image) -> Image.Image:
    """Returns the frame as RGB, transparency over white."""
    image.load()
    top = _find_top(image) if image.mode.startswith(("I", "F")) else 0.0
    flat = Image.new("RGB", image.size)
    rows = max(1, _BAND_PIXELS // image.width)
    # Band by band: what lies between would take ten times the memory of the picture.
    for start in range(0, image.height, rows):
        box = (0, start, image.width, min(start + rows, image.height))
        flat.paste(_flatten_band(image.crop(box), top), box)
    return flat


def _find_top(image: Image.Image) -> float:
    """Returns what is white in a picture of 16 bits or more."""
    return 65535.0 if np.asarray(image).max() > 255 else 255.0


def _flatten_band(band: Image.Image, top: float) -> Image.Image:
    if band.has_transparency_data:
        layer = band.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(white, layer).convert("RGB")
    if top:
        values = np.asarray(band, dtype=np.float64)
        grey = np.clip(values * (255 / top), 0, 255).round().astype(np.uint8)
        return Image.fromarray(grey).convert("RGB")
    return band.convert("RGB")
