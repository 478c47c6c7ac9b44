from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from sklearn.linear_model import LogisticRegression

from trainer.demo_catalogue import pictures
from trainer.demo_catalogue.paint import COLOURS, luminance
from trainer.demo_catalogue.pictures import draw_picture
from trainer.demo_catalogue.shapes import SHAPES


def _pixels(jpeg: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB"), dtype=np.float32)


def test_the_key_decides_every_byte():
    assert draw_picture("drone", COLOURS[0], "0/1") == draw_picture("drone", COLOURS[0], "0/1")
    assert draw_picture("drone", COLOURS[0], "0/1") != draw_picture("drone", COLOURS[0], "0/2")


@pytest.mark.parametrize("shape", SHAPES)
def test_region_is_where_the_object_is(shape, monkeypatch):
    drawn = draw_picture(shape, COLOURS[4], f"region/{shape}")
    # The same scene with a speck in place of the object: where the two differ, it stands.
    monkeypatch.setitem(
        pictures.SHAPES, shape, lambda pen, *_: pen.box(0, 0, 0.001, 0.001, (0, 0, 0))
    )
    empty = draw_picture(shape, COLOURS[4], f"region/{shape}")
    changed = np.abs(_pixels(drawn.jpeg) - _pixels(empty.jpeg)).max(axis=2) > 45
    rows, columns = np.nonzero(changed.any(axis=1))[0], np.nonzero(changed.any(axis=0))[0]
    left, top, right, bottom = drawn.region
    assert left - 4 <= columns[0] and columns[-1] <= right + 4
    assert top - 4 <= rows[0] and rows[-1] <= bottom + 4
    assert changed[top:bottom, left:right].mean() > 0.15
    # The glow of the lamp is faint and reaches farther than the lamp.
    assert columns[-1] - columns[0] > 0.75 * (right - left)
    assert rows[-1] - rows[0] > 0.75 * (bottom - top)


@pytest.mark.parametrize("shape", SHAPES)
def test_objects_fill_much_of_the_picture(shape):
    for number in range(4):
        drawn = draw_picture(shape, COLOURS[number], f"fill/{number}")
        height, width, _ = _pixels(drawn.jpeg).shape
        left, top, right, bottom = drawn.region
        assert 0 <= left < right <= width and 0 <= top < bottom <= height
        assert max((right - left) / width, (bottom - top) / height) > 0.4


def test_a_copy_is_the_same_photo_cropped_and_tinted():
    for number in range(10):
        original = draw_picture("valve", COLOURS[3], f"copy/{number}")
        copy = draw_picture("valve", COLOURS[3], f"copy/{number}", copy=1)
        first, second = (
            Image.open(io.BytesIO(each.jpeg)).resize((64, 64)) for each in (original, copy)
        )
        assert original.jpeg != copy.jpeg
        difference = np.asarray(first, dtype=np.float32) - np.asarray(second, dtype=np.float32)
        assert np.abs(difference).mean() < 14
        assert np.abs(np.subtract(original.region, copy.region)).max() <= 12


def test_objects_stand_out_from_the_background():
    for number, colour in enumerate(COLOURS):
        picture = draw_picture("plug", colour, f"contrast/{number}")
        left, top, right, bottom = picture.region
        pixels = _pixels(picture.jpeg).astype(int)
        corner = tuple(np.median(pixels[:30, :30].reshape(-1, 3), axis=0).astype(int).tolist())
        inner = pixels[top + 20 : bottom - 20, left + 20 : right - 20].reshape(-1, 3)
        body = tuple(np.median(inner, axis=0).astype(int).tolist())
        assert abs(luminance(corner) - luminance(body)) > 5


def _edge_histograms(jpeg: bytes) -> np.ndarray:
    """Histograms of edge directions in 6 x 6 cells: shape without colour (Dalal, 2005)."""
    grey = np.asarray(Image.open(io.BytesIO(jpeg)).convert("L").resize((96, 96)), dtype=np.float32)
    down, across = np.gradient(grey)
    strength = np.minimum(np.hypot(down, across), 40)
    direction = (np.arctan2(down, across) % np.pi / np.pi * 8).astype(int) % 8
    cells = np.zeros((6, 6, 8), np.float32)
    rows, columns = np.indices(grey.shape) // 16
    np.add.at(cells, (rows, columns, direction), strength)
    cells /= np.linalg.norm(cells, axis=2, keepdims=True) + 20
    return cells.ravel()


@pytest.mark.parametrize(
    "shapes", [("watch", "ring"), ("dome", "sensor"), ("speaker", "lamp", "plug")]
)
def test_shapes_can_be_learned_from_few_pictures(shapes):
    features, labels = [], []
    for number in range(70):
        for shape in shapes:
            colour = COLOURS[number % len(COLOURS)]
            features.append(_edge_histograms(draw_picture(shape, colour, f"{shape}/{number}").jpeg))
            labels.append(shape)
    half = len(labels) // 2
    model = LogisticRegression(C=10, max_iter=1000).fit(features[:half], labels[:half])
    assert model.score(features[half:], labels[half:]) > 0.85
