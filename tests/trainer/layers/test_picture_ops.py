import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from trainer.layers.picture_ops import decode_pictures

LEFT, RIGHT = (200, 30, 60), (10, 220, 120)


def _halves(mode="RGB"):
    picture = Image.new("RGB", (60, 40), LEFT)
    picture.paste(RIGHT, (30, 0, 60, 40))
    return picture.convert(mode)


def _encode(picture, form, **options):
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def _transparent_left(mode="RGBA"):
    picture = _halves("RGBA")
    picture.paste((9, 9, 9, 0), (0, 0, 30, 40))
    return picture.convert(mode)


def _decode(*pictures, size=16):
    return decode_pictures(tf.constant(pictures), size).numpy().astype(int)


@pytest.mark.parametrize(
    "content",
    [
        _encode(_halves(), "JPEG", quality=95),
        _encode(_halves("CMYK"), "JPEG", quality=95),
        _encode(_halves(), "JPEG", quality=95, progressive=True),
        _encode(_halves(), "PNG"),
        _encode(_halves("RGBA"), "PNG"),
        _encode(_halves(), "BMP"),
        _encode(_halves(), "WEBP", quality=100),
        _encode(_halves(), "GIF", save_all=True, append_images=[Image.new("RGB", (60, 40))]),
    ],
    ids=["jpeg", "cmyk", "progressive", "png", "rgba", "bmp", "webp", "animated gif"],
)
def test_decodes_every_common_format(content):
    picture = _decode(content)[0]
    np.testing.assert_allclose(picture[8, 2], LEFT, atol=6)
    np.testing.assert_allclose(picture[8, 13], RIGHT, atol=6)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_shows_transparency_on_white(mode):
    picture = _decode(_encode(_transparent_left(mode), "PNG"))[0]
    assert picture[8, 2].tolist() == [255, 255, 255]
    assert picture[8, 13].max() < 230


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_grey_gets_three_equal_channels(form):
    picture = _decode(_encode(Image.new("L", (20, 30), 77), form))[0]
    np.testing.assert_array_equal(picture, np.full((16, 16, 3), 77))


def test_absent_pictures_are_zeros():
    pictures = _decode(b"", _encode(_halves(), "PNG"), b"")
    assert pictures[0].max() == pictures[2].max() == 0
    assert pictures[1].max() > 0


def test_resizes_as_a_plain_bilinear_filter():
    pixels = np.random.default_rng(0).integers(0, 256, (37, 51, 3)).astype(np.uint8)
    rows, columns = ((np.arange(16) + 0.5) * n / 16 - 0.5 for n in (37, 51))
    top, left = np.floor(rows).astype(int), np.floor(columns).astype(int)
    down, right = (rows - top)[:, None, None], (columns - left)[None, :, None]
    upper = pixels[top][:, left] * (1 - right) + pixels[top][:, left + 1] * right
    lower = pixels[top + 1][:, left] * (1 - right) + pixels[top + 1][:, left + 1] * right
    expected = upper * (1 - down) + lower * down
    picture = _decode(_encode(Image.fromarray(pixels), "PNG"))[0]
    np.testing.assert_allclose(picture, expected, atol=0.51)


@pytest.mark.parametrize("fraction", [1, 2, 4, 8])
def test_large_jpegs_are_averaged(fraction):
    """Stripes one pixel wide become grey where they are decoded at a fraction."""
    side = 16 * fraction
    stripes = np.zeros((side, side + 4, 3), np.uint8)
    stripes[:, ::2] = 255
    picture = _decode(_encode(Image.fromarray(stripes), "JPEG", quality=95))[0]
    deviation = np.abs(picture[4:-4, 4:-4] - 127.5).max()
    assert deviation < 10 if fraction > 1 else deviation > 60


def test_is_the_same_in_tf_data():
    pictures = [_encode(_halves(), "JPEG"), b"", _encode(_transparent_left(), "PNG")]
    data = tf.data.Dataset.from_tensor_slices(pictures).batch(3)
    batch = next(iter(data.map(lambda values: decode_pictures(values, 16))))
    np.testing.assert_array_equal(batch, _decode(*pictures))


def test_broken_pictures_are_an_error():
    with pytest.raises(tf.errors.InvalidArgumentError):
        _decode(_encode(_halves(), "JPEG")[:-80])
