"""Crop, flip, colour jitter and RandAugment against what they must do to pixels."""

import numpy as np
import pytest
from PIL import Image

from trainer.augmentations.colour_jitter import ColourJitter
from trainer.augmentations.crop import Crop
from trainer.augmentations.flip import Flip
from trainer.augmentations.rand_augment import OPERATIONS, RandAugment

GREY = {"constant_values": 128}


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.fixture
def picture():
    """A picture in which no two pixels are alike: red is the column, green the row."""
    rows, columns = np.mgrid[:30, :50]
    return Image.fromarray(np.stack([columns, rows, columns // 2 + 100], -1).astype(np.uint8))


def test_a_flip_mirrors_and_two_give_the_picture_back(picture):
    flip = Flip(probability=1)
    once = flip(picture, rng())
    np.testing.assert_array_equal(once, np.asarray(picture)[:, ::-1])
    np.testing.assert_array_equal(flip(once, rng()), picture)


def test_flips_come_as_often_as_asked(picture):
    flip, chance = Flip(probability=0.25), rng()
    flipped = sum(flip(picture, chance) is not picture for _ in range(2000))
    # Five standard deviations of a binomial.
    assert abs(flipped - 500) < 5 * np.sqrt(2000 * 0.25 * 0.75)


def test_a_crop_is_a_rectangle_of_the_picture_of_the_size_asked_for(picture):
    pixels, shares, ratios = np.asarray(picture), [], []
    for seed in range(500):
        cut = np.asarray(Crop(smallest=0.25, stretch=2)(picture, rng(seed)))
        left, top = cut[0, 0, :2]
        height, width = cut.shape[:2]
        np.testing.assert_array_equal(cut, pixels[top : top + height, left : left + width])
        shares.append(width * height / 1500)
        ratios.append((width / height) / (50 / 30))
    # The sides are whole numbers, and clipped where stretched too far.
    assert 0.2 < min(shares) < 0.3
    assert 0.9 < max(shares) <= 1
    assert 0.5 * 0.9 < min(ratios) < 0.6
    assert 1.7 < max(ratios) < 2 * 1.1


def test_crops_lie_everywhere(picture):
    crop = Crop(smallest=0.5, stretch=1)
    corners = np.array([np.asarray(crop(picture, rng(seed)))[0, 0, :2] for seed in range(500)])
    ends = np.array([np.asarray(crop(picture, rng(seed)))[-1, -1, :2] for seed in range(500)])
    assert corners.min(axis=0).tolist() == [0, 0]
    assert ends.max(axis=0).tolist() == [49, 29]
    np.testing.assert_allclose(corners.mean(axis=0), 49 - ends.mean(axis=0) - [0, 20], atol=1.5)


def test_jitter_without_spread_is_no_change(picture):
    np.testing.assert_array_equal(ColourJitter(0, 0, 0)(picture, rng()), picture)


def test_brightness_is_scaled_by_factors_spread_evenly_around_one():
    grey = Image.new("RGB", (4, 4), (100, 100, 100))
    jitter = ColourJitter(brightness=0.5, contrast=0, saturation=0)
    values = np.array([np.asarray(jitter(grey, rng(seed)))[0, 0, 0] for seed in range(1000)])
    assert (values >= 50).all()
    assert (values <= 150).all()
    np.testing.assert_allclose(np.quantile(values, [0.25, 0.5, 0.75]), [75, 100, 125], atol=5)


def test_saturation_leaves_greys_and_contrast_leaves_the_mean():
    ramp = np.arange(64, 192, dtype=np.uint8).reshape(8, 16)
    grey = Image.fromarray(np.stack([ramp] * 3, -1))
    np.testing.assert_array_equal(ColourJitter(0, 0, 1)(grey, rng()), grey)
    for seed in range(10):
        changed = np.asarray(ColourJitter(0, 0.3, 0)(grey, rng(seed)), float)
        assert abs(changed.mean() - np.mean(ramp)) < 1.5
        assert changed.std() != ramp.std()


def test_rand_augment_has_the_operations_of_the_paper():
    assert len(OPERATIONS) == 14


def test_rand_augment_at_magnitude_zero_only_equalizes_and_stretches_contrast(picture):
    """All other operations have a strength, and none of it is no change."""
    for name, operation in OPERATIONS.items():
        same = np.array_equal(operation(picture, 0.0), picture)
        assert same == (name not in ("auto_contrast", "equalize")), name


@pytest.mark.parametrize(
    ("name", "strength", "expected"),
    [
        ("translate_x", 10 / 22.5, lambda p: np.pad(p[:, 10:], ((0, 0), (0, 10), (0, 0)), **GREY)),
        ("translate_y", -9 / 13.5, lambda p: np.pad(p[:-9], ((9, 0), (0, 0), (0, 0)), **GREY)),
        ("solarize", 0.5, lambda p: np.where(p < 128, p, 255 - p)),
        ("posterize", -1.0, lambda p: p & 0xF0),
        ("brightness", 1.0, lambda p: np.clip(1.9 * p, 0, 255).astype(np.uint8)),
    ],
)
def test_rand_augment_operations_against_arrays(picture, name, strength, expected):
    made = np.asarray(OPERATIONS[name](picture, strength)).astype(int)
    np.testing.assert_allclose(made, expected(np.asarray(picture)), atol=1)


def test_rand_augment_applies_as_many_operations_as_asked(picture, monkeypatch):
    applied = []
    for name in OPERATIONS:
        monkeypatch.setitem(
            OPERATIONS, name, lambda image, strength: applied.append(strength) or image
        )
    RandAugment(num_operations=400, magnitude=3)(picture, rng())
    assert len(applied) == 400
    assert set(applied) == {-0.3, 0.3}
