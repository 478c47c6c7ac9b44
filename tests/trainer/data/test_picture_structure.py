import io

import numpy as np
import pytest
from PIL import Image

from trainer.data.picture_structure import is_whole_jpeg, is_whole_png

NOISE = np.random.default_rng(0).integers(0, 256, (40, 50, 3)).astype(np.uint8)


def _encode(kind, **options):
    buffer = io.BytesIO()
    Image.fromarray(NOISE).save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 1}])
def test_whole_jpegs(options):
    encoded = _encode("JPEG", **options)
    assert is_whole_jpeg(encoded)
    assert is_whole_jpeg(encoded + b"trailer")


def test_every_truncation_of_a_jpeg_is_seen():
    encoded = _encode("JPEG")
    assert not any(is_whole_jpeg(encoded[:length]) for length in range(len(encoded)))


def test_stray_markers_that_point_behind_the_end():
    encoded = bytearray(_encode("JPEG"))
    encoded[-6:-2] = b"\xff\xe3\xff\xff"
    assert not is_whole_jpeg(bytes(encoded))


def test_arithmetic_coding_is_refused():
    encoded = _encode("JPEG")
    assert not is_whole_jpeg(encoded.replace(b"\xff\xc0", b"\xff\xc9", 1))


def test_every_truncation_and_change_of_a_png_is_seen():
    encoded = _encode("PNG", compress_level=9)
    assert is_whole_png(encoded)
    assert is_whole_png(encoded + b"trailer")
    assert not any(is_whole_png(encoded[:length]) for length in range(len(encoded)))
    for position in range(8, len(encoded), 37):
        changed = bytearray(encoded)
        changed[position] ^= 1
        assert not is_whole_png(bytes(changed))
