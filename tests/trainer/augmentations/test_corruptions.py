"""Corruptions against what they must do to pixels."""

import io

import numpy as np
import pytest
from PIL import Image, ImageFilter

from trainer.augmentations.any_corruption import AnyCorruption
from trainer.augmentations.corruption import find_corruptions

KINDS = sorted(find_corruptions())


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def picture():
    """A smooth picture with an edge."""
    rows, columns = np.mgrid[:150, :224]
    smooth = 100 + 60 * np.sin(rows / 25) * np.cos(columns / 30)
    smooth[40:90, 60:140] += 60
    return Image.fromarray(np.stack([smooth, smooth * 0.8, smooth * 0.6], -1).astype(np.uint8))


def change(kind, picture, severity, seed=0):
    return np.asarray(find_corruptions()[kind](severity)(picture, rng(seed)), np.float32)


def test_there_are_the_seven_kinds():
    expected = ["blur", "brightness", "jpeg", "noise", "occlusion", "rotation", "watermark"]
    assert expected == KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_each_severity_changes_more_than_the_one_below(kind, picture):
    pixels = np.asarray(picture, np.float32)
    costs = []
    for severity in range(1, 6):
        changed = [change(kind, picture, severity, seed) for seed in range(12)]
        assert changed[0].shape == pixels.shape
        costs.append(np.mean([np.square(of - pixels).mean() for of in changed]))
    assert costs == sorted(costs)
    assert costs[0] > 1
    assert costs[4] > 1.5 * costs[0]


@pytest.mark.parametrize("kind", [*KINDS, "any"])
def test_without_a_severity_it_is_drawn(kind, picture):
    member = AnyCorruption() if kind == "any" else find_corruptions()[kind]()
    drawn = {np.asarray(member(picture, rng(seed))).tobytes() for seed in range(30)}
    assert len(drawn) >= 4


def test_noise_has_its_deviation():
    grey = Image.new("RGB", (200, 200), (128, 128, 128))
    assert change("noise", grey, 1).std() == pytest.approx(255 * 0.08, rel=0.02)


def test_blur_and_jpeg_are_those_of_pillow(picture):
    expected = picture.filter(ImageFilter.GaussianBlur(4 * 150 / 224))
    np.testing.assert_array_equal(change("blur", picture, 4), np.asarray(expected))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=7)
    np.testing.assert_array_equal(change("jpeg", picture, 5), np.asarray(Image.open(buffer)))


def test_brightness_raises_the_largest_channel():
    grey = Image.new("RGB", (4, 4), (60, 100, 80))
    assert change("brightness", grey, 3).max(axis=-1) == pytest.approx(100 + 255 * 0.3, abs=1)


def test_occlusion_covers_its_share(picture):
    pixels = np.asarray(picture, np.float32)
    covered = (change("occlusion", picture, 5) != pixels).any(axis=-1)
    assert covered.mean() == pytest.approx(0.5, abs=0.02)
    rows, columns = np.flatnonzero(covered.any(axis=1)), np.flatnonzero(covered.any(axis=0))
    assert covered.sum() >= 0.98 * len(rows) * len(columns)


def test_a_picture_too_long_for_jpeg_is_no_error():
    assert change("jpeg", Image.new("RGB", (1, 70_000)), 1).shape == (70_000, 1, 3)


def test_unknown_severities_and_kinds_are_refused():
    with pytest.raises(ValueError, match="severity"):
        find_corruptions()["noise"](6)
    with pytest.raises(ValueError, match="Did you mean 'noise'"):
        AnyCorruption(["noize"])
