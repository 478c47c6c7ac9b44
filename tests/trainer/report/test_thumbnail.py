from __future__ import annotations

import base64
import io
import struct
import zlib

import pytest
from PIL import Image

from trainer.report.thumbnail import thumbnail


def encode(image: Image.Image, kind: str) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


def decode(uri: str) -> Image.Image:
    head, body = uri.split(",")
    assert head == "data:image/jpeg;base64"
    return Image.open(io.BytesIO(base64.b64decode(body)))


@pytest.mark.parametrize(
    ("mode", "kind"),
    [("RGB", "JPEG"), ("CMYK", "JPEG"), ("L", "PNG"), ("P", "GIF"), ("I;16", "PNG")],
)
def test_every_kind_of_picture_becomes_a_small_jpeg(mode, kind):
    image = decode(thumbnail(encode(Image.new(mode, (400, 100)), kind)))
    assert image.size == (160, 40)
    assert image.mode == "RGB"


def test_transparent_ground_becomes_white():
    image = decode(thumbnail(encode(Image.new("RGBA", (50, 50), (0, 0, 0, 0)), "PNG")))
    assert image.getpixel((25, 25)) == (255, 255, 255)


def test_small_pictures_are_not_enlarged():
    assert decode(thumbnail(encode(Image.new("RGB", (30, 20)), "PNG"))).size == (30, 20)


def test_absent_broken_and_truncated_pictures_give_nothing():
    whole = encode(Image.effect_noise((300, 300), 90), "JPEG")
    assert thumbnail(b"") == ""
    assert thumbnail(b"GIF89a not really") == ""
    assert thumbnail(whole[: len(whole) // 3]) == ""


@pytest.mark.parametrize("side", [9_000, 20_000])
def test_a_pixel_bomb_is_not_decoded(side):
    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    bomb = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    assert thumbnail(bomb) == ""
