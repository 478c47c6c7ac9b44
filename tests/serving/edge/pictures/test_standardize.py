"""Every picture file is, byte for byte, what training reads of it."""

import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, features

from serving.edge.pictures import scans
from serving.edge.pictures import standardize as edge
from serving.edge.pictures.decode import decode_pictures
from serving.edge.pictures.standardize import PictureError, standardize
from trainer.data import pictures as trainer
from trainer.layers import picture_ops


def write(picture, form, **options):
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def draw(width, height, channels=3):
    shape = (height // 8 + 2, width // 8 + 2, channels)
    small = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)


def read_both(encoded):
    """Returns what both make of a file: bytes, or why not."""

    def read(standardize, error):
        try:
            return standardize(encoded)
        except error as found:
            return str(found)

    return read(standardize, PictureError), read(trainer.standardize, trainer.PictureError)


def check_equal(encoded, name=""):
    found, expected = read_both(encoded)
    assert found == expected, name
    return found


def test_pictures_of_every_format(drawn_pictures):
    for name, encoded in drawn_pictures.items():
        made = check_equal(encoded, name)
        assert isinstance(made, bytes), (name, made)


@pytest.mark.parametrize("form", ["TIFF", "JPEG2000", "AVIF", "PPM", "TGA", "WEBP"])
def test_formats_that_tensorflow_does_not_read(form):
    names = {"JPEG2000": "jpg_2000", "AVIF": "avif", "WEBP": "webp"}
    if form in names and not features.check(names[form]):
        pytest.skip(f"Pillow has no {form} here")
    made = check_equal(write(draw(60, 44), form))
    expected = picture_ops.decode_pictures(tf.constant([made]), 32)
    np.testing.assert_array_equal(decode_pictures([made], 32), expected)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_pictures_are_set_upright(form):
    picture = draw(60, 44)
    for orientation in range(10):
        exif = Image.Exif()
        exif[0x0112] = orientation
        made = check_equal(write(picture, form, exif=exif), orientation)
        expected = (44, 60) if orientation in (5, 6, 7, 8) else (60, 44)
        shown = Image.open(io.BytesIO(made)).size
        assert shown == expected


@pytest.mark.parametrize("progressive", [False, True])
def test_large_jpegs_are_made_smaller(progressive):
    made = check_equal(write(draw(2600, 1900), "JPEG", progressive=progressive))
    with Image.open(io.BytesIO(made)) as image:
        assert image.format == "JPEG"
        assert 0.99 * edge.KEPT_PIXELS < image.width * image.height <= edge.KEPT_PIXELS
    grey = check_equal(write(draw(2600, 1900).convert("L"), "JPEG", progressive=progressive))
    expected = picture_ops.decode_pictures(tf.constant([made, grey]), 224)
    np.testing.assert_array_equal(decode_pictures([made, grey], 224), expected)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "P", "I;16", "F", "CMYK", "1"])
def test_bands_leave_no_traces(mode, monkeypatch):
    monkeypatch.setattr(edge, "KEPT_PIXELS", 3000)
    monkeypatch.setattr(trainer, "KEPT_PIXELS", 3000)
    monkeypatch.setattr(edge, "_BAND_PIXELS", 700)
    picture = draw(90, 73, 4)
    if mode == "P":
        encoded = write(
            picture.convert("RGB").quantize(50), "PNG", transparency=bytes(range(0, 250, 5))
        )
    elif mode == "I;16":
        numbers = np.asarray(picture.convert("L")).astype(np.uint16) * 201
        encoded = write(Image.fromarray(numbers), "PNG")
    else:
        encoded = write(picture.convert(mode), "PNG" if mode not in ("F", "CMYK") else "TIFF")
    assert isinstance(check_equal(encoded), bytes)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF"])
def test_what_is_broken_is_refused_alike(form):
    encoded = write(draw(200, 160), form)
    for share in (0.02, 0.5, 0.95):
        told = check_equal(encoded[: int(len(encoded) * share)])
        assert told in ("truncated or broken", "not a picture")
    for other in (b"", b"no picture", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"GIF89a"):
        assert isinstance(check_equal(other), str)


def test_pictures_of_too_many_pixels_are_refused_alike(monkeypatch):
    assert check_equal(write(Image.new("1", (8_001, 8_000)), "PNG")).startswith("too many pixels")
    assert edge.KEPT_PIXELS == trainer.KEPT_PIXELS and edge._FORMATS == trainer._FORMATS
    monkeypatch.setattr(edge, "MAX_FILE_BYTES", 10)
    with pytest.raises(PictureError, match="larger than 0 MB"):
        standardize(bytes(11))


def test_jpegs_of_too_many_scans_are_refused_before_they_are_decoded(monkeypatch):
    monkeypatch.setattr(scans, "SAFE_WORK", 10**4)
    sound = write(draw(64, 64), "JPEG", progressive=True)
    assert standardize(sound) == sound
    last = sound[sound.rindex(b"\xff\xda") : -2]
    with pytest.raises(PictureError, match="more scans"):
        standardize(sound[:-2] + last * 100 + sound[-2:])


def test_too_little_memory_is_no_fault_of_the_picture(monkeypatch):
    def fail(*_):
        raise MemoryError

    monkeypatch.setattr(edge, "_check", fail)
    with pytest.raises(MemoryError):
        standardize(write(draw(9, 9), "PNG"))
