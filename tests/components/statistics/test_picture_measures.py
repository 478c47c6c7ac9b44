"""Pictures measured beside NumPy and SciPy on the same pixels."""

import io

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from components.statistics.picture_measures import LONG_SIDE, measure_picture
from trainer.data.pictures import PictureError


def encode(pixels, **options):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, **{"format": "PNG", **options})
    return buffer.getvalue()


@pytest.fixture
def pixels():
    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(0, 255, (6, 9, 3), np.uint8))
    return np.asarray(coarse.resize((180, 120), Image.Resampling.BICUBIC))


def test_measures_of_a_small_picture_are_those_of_its_pixels(pixels):
    found = measure_picture(encode(pixels))
    assert (found.width, found.height, found.format) == (180, 120, "png")
    np.testing.assert_allclose(
        (found.red, found.green, found.blue), pixels.mean(axis=(0, 1)), rtol=1e-9
    )
    grey = np.asarray(Image.fromarray(pixels).convert("L"), np.float64)
    assert found.brightness == pytest.approx(grey.mean(), rel=1e-9)
    laplacian = ndimage.laplace(grey)[1:-1, 1:-1]
    assert found.sharpness == pytest.approx(laplacian.var(), rel=1e-6)


def test_a_blurred_picture_is_less_sharp():
    sharp = np.kron(np.random.default_rng(0).integers(0, 255, (9, 9)), np.ones((12, 12)))
    measured = [
        measure_picture(encode(grey.astype(np.uint8))).sharpness
        for grey in (sharp, ndimage.gaussian_filter(sharp, 2))
    ]
    assert measured[1] < measured[0] / 10


def test_large_pictures_are_measured_small(pixels):
    large = np.asarray(Image.fromarray(pixels).resize((1800, 1200), Image.Resampling.BICUBIC))
    found, small = measure_picture(encode(large, format="JPEG")), measure_picture(encode(pixels))
    assert (found.width, found.height) == (1800, 1200)
    assert found.width > LONG_SIDE
    assert found.brightness == pytest.approx(small.brightness, abs=1)
    assert found.look == small.look


@pytest.mark.parametrize("options", [{"format": "JPEG", "quality": 60}, {"format": "WEBP"}])
def test_a_picture_stored_anew_looks_the_same(pixels, options):
    assert measure_picture(encode(pixels, **options)).look == measure_picture(encode(pixels)).look
    turned = pixels[:, ::-1]
    assert measure_picture(encode(turned)).look != measure_picture(encode(pixels)).look


def test_blank_and_tiny_pictures():
    blank = measure_picture(encode(np.full((40, 40, 3), 250, np.uint8)))
    assert (blank.look, blank.sharpness, blank.brightness) == (None, 0.0, 250.0)
    assert measure_picture(encode(np.zeros((1, 1), np.uint8))).sharpness == 0.0


@pytest.mark.parametrize("broken", [b"", b"no picture", b"\x89PNG\r\n\x1a\n"])
def test_what_is_broken_is_refused(broken):
    with pytest.raises(PictureError):
        measure_picture(broken)


def test_a_truncated_picture_is_refused(pixels):
    whole = encode(pixels, format="JPEG")
    with pytest.raises(PictureError, match="truncated or broken"):
        measure_picture(whole[: len(whole) // 2])
