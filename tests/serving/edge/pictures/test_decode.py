import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from serving.edge.pictures import decode, scans
from serving.edge.pictures.decode import decode_pictures
from trainer.data import pictures as trainer_pictures
from trainer.layers import picture_header, picture_ops


def write(picture, form, **options):
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def test_pictures_of_every_format_are_those_of_tensorflow(drawn_pictures):
    assert len(drawn_pictures) > 100
    expected = picture_ops.decode_pictures(tf.constant(list(drawn_pictures.values())), 50).numpy()
    for (name, encoded), pixels in zip(drawn_pictures.items(), expected, strict=True):
        found = decode_pictures([encoded], 50)[0].astype(int)
        assert np.abs(found - pixels).max() <= 1, name


def test_jpegs_are_exactly_equal(drawn_pictures):
    encoded = [value for name, value in drawn_pictures.items() if name.startswith("jpeg")]
    for size in (32, 224):
        expected = picture_ops.decode_pictures(tf.constant(encoded), size)
        np.testing.assert_array_equal(decode_pictures(encoded, size), expected)


def test_absent_pictures_are_zeros():
    pictures = decode_pictures([b"", write(Image.new("RGB", (9, 9), "red"), "PNG")], 4)
    assert pictures[0].max() == 0
    np.testing.assert_array_equal(pictures[1, 0, 0], [255, 0, 0])
    assert decode_pictures([], 4).shape == (0, 4, 4, 3)


def test_transparency_is_shown_on_white():
    picture = decode_pictures([write(Image.new("RGBA", (9, 9), (255, 0, 0, 51)), "PNG")], 4)
    np.testing.assert_array_equal(picture[0, 0, 0], [255, 204, 204])


def test_animations_show_their_first_frame():
    red, blue = Image.new("RGB", (9, 9), "red"), Image.new("RGB", (9, 9), "blue")
    encoded = write(red, "WEBP", save_all=True, append_images=[blue], lossless=True)
    np.testing.assert_array_equal(decode_pictures([encoded], 4)[0, 0, 0], [255, 0, 0])


def test_colours_of_a_palette_are_shown_in_bmp_too():
    encoded = write(Image.new("RGB", (9, 9), "red").quantize(4), "BMP")
    np.testing.assert_array_equal(decode_pictures([encoded], 4)[0, 0, 0], [255, 0, 0])


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "BMP", "WEBP"])
def test_truncated_pictures_are_an_error(form):
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    encoded = write(Image.fromarray(noise), form)
    with pytest.raises(ValueError, match=r"Picture of row 1: .*broken"):
        decode_pictures([b"", encoded[: len(encoded) // 2]], 32)


@pytest.mark.parametrize("encoded", [b"no picture", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"\0"])
def test_other_bytes_are_an_error(encoded):
    with pytest.raises(ValueError, match="Picture of row 0: not a picture, or broken"):
        decode_pictures([encoded], 32)


def test_large_transparent_pictures_are_thinned_out_as_by_the_trainer():
    noise = np.random.default_rng(0).integers(0, 256, (2300, 2300, 4), np.uint8)
    for pixels in (noise, noise[:, :1800], noise[..., 2:]):
        mode = "RGBA" if pixels.shape[-1] == 4 else "LA"
        encoded = write(Image.fromarray(np.ascontiguousarray(pixels), mode), "PNG")
        expected = picture_ops.decode_pictures(tf.constant([encoded]), 40)
        np.testing.assert_array_equal(decode_pictures([encoded], 40), expected)
    assert decode.MIXED_PIXELS == picture_ops._MIXED_PIXELS


def repeat_last_scan(encoded, times):
    start = encoded.rindex(b"\xff\xda")
    return encoded[:-2] + encoded[start:-2] * times + encoded[-2:]


def test_jpegs_of_many_scans_are_refused_by_the_same_rule(monkeypatch):
    assert (scans.MAX_SCANS, scans.SAFE_WORK) == (picture_header._MAX_SCANS, 10**10)
    assert picture_header._SAFE_WORK == scans.SAFE_WORK
    monkeypatch.setattr(scans, "SAFE_WORK", 10**4)
    monkeypatch.setattr(picture_header, "_SAFE_WORK", 10**4)
    sound = write(Image.new("RGB", (64, 64), "red"), "JPEG", progressive=True)
    more = 99 - sound.count(b"\xff\xda")
    for times, fine in ((more, True), (more + 1, False)):
        encoded = repeat_last_scan(sound, times)
        fault = picture_header.find_jpeg_fault(tf.constant(encoded), 10**6).numpy()
        assert (fault == picture_header.FINE) == fine
        if fine:
            assert decode_pictures([encoded], 32)[0, 0, 0, 0] > 250
        else:
            with pytest.raises(ValueError, match=r"Picture of row 0: broken, .*scans"):
                decode_pictures([encoded], 32)


def test_too_little_memory_is_no_fault_of_the_picture(monkeypatch):
    def fail(*_):
        raise MemoryError

    encoded = write(Image.new("RGB", (9, 9), "red"), "PNG")
    monkeypatch.setattr(decode, "_load", fail)
    with pytest.raises(MemoryError):
        decode_pictures([encoded], 4)


def test_limits_are_those_of_the_trainer(monkeypatch):
    assert decode.MAX_PIXELS == trainer_pictures.MAX_PIXELS
    assert decode.MAX_FILE_BYTES == trainer_pictures.MAX_FILE_BYTES
    bomb = write(Image.new("1", (8_001, 8_000)), "PNG")
    with pytest.raises(ValueError, match=r"more than 64000000 pixels \(8001 x 8000\)"):
        decode_pictures([bomb], 32)
    with pytest.raises(ValueError, match="more than 64000000 pixels"):
        decode_pictures([write(Image.new("1", (20_000, 20_000)), "PNG")], 32)
    monkeypatch.setattr(decode, "MAX_FILE_BYTES", 10)
    with pytest.raises(ValueError, match="larger than 0 MB"):
        decode_pictures([bomb], 32)
