import io

import numpy as np
import pytest
from PIL import Image, ImageFilter

from trainer.data.same_pictures import same_picture_pairs


def _photo(seed, size=(120, 90)):
    """Smooth blobs, like an object before a background."""
    noise = np.random.default_rng(seed).integers(0, 256, (8, 10, 3)).astype(np.uint8)
    return Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC)


def _encode(image, kind="JPEG", **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _pairs(cells, max_shared=10, folder=None):
    pairs = same_picture_pairs(cells, folder, max_shared)
    return {tuple(sorted(pair)) for pair in pairs.tolist()}


def test_the_same_bytes_under_other_names(tmp_path):
    for name, seed in [("a.jpg", 0), ("b.jpg", 0), ("c.jpg", 1)]:
        (tmp_path / name).write_bytes(_encode(_photo(seed)))
    cells = ["c.jpg", "a.jpg", "", "b.jpg", "a.jpg", "gone.jpg", None]
    assert _pairs(cells, folder=tmp_path) == {(1, 3), (1, 4)}


@pytest.mark.parametrize("seed", range(4))
def test_pictures_stored_anew_are_the_same(seed):
    photo = _photo(seed, (400, 300))
    original = _encode(photo, quality=95)
    others = [
        _encode(photo, quality=50),
        _encode(photo, "PNG"),
        _encode(photo.resize((200, 150)), quality=85),
        _encode(photo.resize((801, 601)), quality=85),
    ]
    strangers = [_encode(_photo(seed + 10 * i, (400, 300))) for i in range(1, 20)]
    pairs = _pairs([original, *others, *strangers])
    assert {(0, i) for i in range(1, 5)} <= pairs
    assert all(j <= len(others) for _, j in pairs)


def test_other_shape_or_other_detail_is_another_picture():
    photo = _photo(0)
    cut = photo.crop((0, 0, 120, 80))
    turned = photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    marked = photo.copy()
    marked.paste("white", (30, 20, 80, 60))
    assert _pairs([_encode(image) for image in (photo, cut, turned, marked)]) == set()


def test_blank_and_broken_pictures_prove_nothing():
    blank = [
        _encode(Image.new("RGB", (50, 50), colour)) for colour in ("white", "white", "#fefefe")
    ]
    noisy = Image.effect_noise((50, 50), 3).filter(ImageFilter.BLUR)
    broken = _encode(_photo(0))[:-200]
    assert _pairs([*blank, _encode(noisy), _encode(noisy), broken, broken, b"no", b"no"]) == set()


def test_what_very_many_rows_share_is_a_placeholder():
    shared, own = _encode(_photo(0)), _encode(_photo(1))
    assert len(_pairs([shared] * 11 + [own] * 2, max_shared=10)) == 1
    assert len(_pairs([shared] * 10 + [own] * 2, max_shared=10)) == 10
    # The same when each is stored a little differently.
    variants = [_encode(_photo(0, (400, 300)), quality=quality) for quality in range(80, 95)]
    assert _pairs(variants, max_shared=10) == set()
    assert len(_pairs(variants, max_shared=20)) == 15 * 14 / 2


def test_no_pictures():
    assert same_picture_pairs([None, ""], None, 10).shape == (0, 2)
