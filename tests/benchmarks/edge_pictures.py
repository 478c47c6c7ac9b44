"""Pictures of every format and sampling, drawn from a seed."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

SIZES = ((37, 29), (501, 333), (3, 200), (1, 1), (900, 460))


def draw_pictures(sizes: Sequence[tuple[int, int]] = SIZES, seed: int = 0) -> dict[str, bytes]:
    """Returns picture files by a name that says what they are."""
    random = np.random.default_rng(seed)
    pictures: dict[str, bytes] = {}
    for width, height in sizes:
        small = random.integers(0, 256, (height // 8 + 2, width // 8 + 2, 4), np.uint8)
        rgba = Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)
        made = {**_jpegs(rgba), **_pngs(rgba), **_others(rgba)}
        pictures |= {f"{name} {width} x {height}": encoded for name, encoded in made.items()}
    for channels, colour_type in ((1, 0), (2, 4), (3, 2), (4, 6)):
        deep = random.integers(0, 65_536, (50, 60, channels))
        pictures[f"png 16 bits, {channels} channels"] = _deep_png(deep, colour_type)
    noise = Image.fromarray(random.integers(0, 256, (40, 80, 3), np.uint8)).resize((640, 320))
    halved, quartered = (encode(noise, "JPEG", subsampling=kind) for kind in (1, 2))
    pictures["jpeg 4:4:0"] = _sample_otherwise(halved, 0x12, (320, 640))
    pictures["jpeg 4:1:1"] = _sample_otherwise(quartered, 0x41, (1280, 160))
    pictures["jpeg 4:1:0 upright"] = _sample_otherwise(quartered, 0x14, (160, 1280))
    return pictures


def _jpegs(rgba: Image.Image) -> dict[str, bytes]:
    rgb, cmyk = rgba.convert("RGB"), rgba.convert("CMYK")
    ways: dict[str, dict[str, Any]] = {
        "4:4:4": {"subsampling": 0},
        "4:2:2": {"subsampling": 1},
        "4:2:0": {"subsampling": 2, "quality": 95},
        "4:2:0 coarse": {"subsampling": 2, "quality": 15},
        "progressive": {"progressive": True},
        "rgb": {"keep_rgb": True},
    }
    pictures = {f"jpeg {name}": encode(rgb, "JPEG", **options) for name, options in ways.items()}
    pictures["jpeg grey"] = encode(rgb.convert("L"), "JPEG")
    pictures["jpeg cmyk"] = encode(cmyk, "JPEG", quality=90)
    pictures["jpeg cmyk 4:2:0"] = encode(cmyk, "JPEG", subsampling=2)
    return pictures


def _pngs(rgba: Image.Image) -> dict[str, bytes]:
    rgb = rgba.convert("RGB")
    palette = rgb.quantize(50)
    return {
        **{f"png {mode}": encode(rgba.convert(mode), "PNG") for mode in ("1", "L", "LA", "RGB")},
        "png RGBA": encode(rgba, "PNG"),
        "png palette": encode(palette, "PNG"),
        "png palette of 4": encode(rgb.quantize(4), "PNG", bits=2),
        "png transparent palette": encode(palette, "PNG", transparency=bytes(range(0, 250, 5))),
        "png transparent colour": encode(rgb, "PNG", transparency=rgb.getpixel((0, 0))),
        "png transparent grey": encode(rgb.convert("L"), "PNG", transparency=128),
    }


def _others(rgba: Image.Image) -> dict[str, bytes]:
    rgb = rgba.convert("RGB")
    more = {"save_all": True, "append_images": [Image.new("RGB", rgb.size)]}
    gif = encode(rgb.quantize(50), "GIF")
    return {
        "gif": gif,
        "gif interlaced": encode(rgb.quantize(50), "GIF", interlace=1),
        "gif animated": encode(rgb, "GIF", **more),
        "gif transparent": encode(rgba, "GIF"),
        "bmp": encode(rgb, "BMP"),
        "bmp grey": encode(rgb.convert("L"), "BMP"),
        "bmp alpha": encode(rgba, "BMP"),
        "webp": encode(rgb, "WEBP"),
        "webp alpha": encode(rgba, "WEBP"),
        "webp lossless": encode(rgba, "WEBP", lossless=True, exact=True),
    }


def _sample_otherwise(jpeg: bytes, sampling: int, size: tuple[int, int]) -> bytes:
    """Changes how often luminance is sampled, which Pillow cannot; what is shown is jumbled."""
    frame = jpeg.index(b"\xff\xc0")
    width, height = size
    lines = struct.pack(">HH", height, width)
    head = jpeg[: frame + 5] + lines + jpeg[frame + 9 : frame + 11]
    return head + bytes([sampling]) + jpeg[frame + 12 :]


def encode(picture: Image.Image, form: str, **options: Any) -> bytes:
    """Returns a picture as a file."""
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def _deep_png(pixels: np.ndarray, colour_type: int) -> bytes:
    """Writes 16 bits a channel, which Pillow does for grey only."""
    height, width = pixels.shape[:2]
    lines = b"".join(b"\0" + line.astype(">u2").tobytes() for line in pixels)
    header = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )
