"""What every registered augmentation must do; a new file in trainer/augmentations is tested."""

import io
import math

import numpy as np
import pytest
from PIL import Image

from trainer.augmentations.augmentation import Augmentation
from trainer.options import check_number
from trainer.registry import AUGMENTATIONS, MODALITIES


def _encode(width, height, form):
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, form)
    return buffer.getvalue()


# The ordinary value first, then the ugly ones. None is absent.
VALUES = {
    "image": [_encode(40, 30, "PNG"), _encode(1, 1, "PNG"), _encode(1, 90, "JPEG")],
    "text": [
        b"Red wireless headphones with a long cable\nNew and boxed, for every phone",
        b"x",
        "耳机 😀 HD".encode() * 20,
    ],
    "number": [12.5, 0.0, -3.0, float(np.finfo(np.float32).max)],
    "category": [b"Acme"],
}


@pytest.fixture(params=AUGMENTATIONS.names())
def augmentation(request):
    return AUGMENTATIONS.get(request.param)()


@pytest.fixture
def change(augmentation):
    """Returns a function from a raw value and a seed to a raw value."""
    modality = MODALITIES.get(augmentation.modality)()

    def run(value, seed=0):
        return modality.pack(augmentation(modality.unpack(value), np.random.default_rng(seed)))

    return run


def test_needs_no_options_and_names_its_modality(augmentation):
    assert isinstance(augmentation, Augmentation)
    assert augmentation.modality in MODALITIES.names()


def test_the_same_seed_gives_the_same_bytes_and_others_differ(augmentation, change):
    value = VALUES[augmentation.modality][0]
    made = [change(value, seed) for seed in range(20)]
    assert made == [change(value, seed) for seed in range(20)]
    assert len(set(made)) > 1


def test_a_changed_value_is_never_absent_and_can_be_read(augmentation, change):
    modality = MODALITIES.get(augmentation.modality)()
    for value in VALUES[augmentation.modality]:
        for seed in range(20):
            made = change(value, seed)
            assert type(made) is type(value)
            assert made not in (b"", modality.absent)
            if isinstance(made, float):
                assert math.isfinite(np.float32(made))
            modality.unpack(made)


def test_what_it_is_given_stays_as_it_was(augmentation):
    modality = MODALITIES.get(augmentation.modality)()
    value = modality.unpack(VALUES[augmentation.modality][0])
    before = modality.pack(value)
    augmentation(value, np.random.default_rng(1))
    assert modality.pack(value) == before


@pytest.mark.parametrize("value", [-0.1, 1.1, math.nan, "half", True, None])
def test_options_outside_of_their_bounds_are_refused(value):
    with pytest.raises(ValueError, match="`rate` must be a number from 0 to 1"):
        check_number("rate", value, 0, 1)
    check_number("rate", 1, 0, 1)
    with pytest.raises(ValueError, match="`spread` must be a number of at least 0"):
        check_number("spread", -1, 0)
