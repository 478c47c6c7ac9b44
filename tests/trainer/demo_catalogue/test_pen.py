from __future__ import annotations

import math

import numpy as np
import pytest
from PIL import Image

from trainer.demo_catalogue.pen import Pen, Placement, arc


def test_points_are_turned_scaled_and_moved():
    quarter = Placement(x=100, y=50, size=10, angle=math.pi / 2)
    np.testing.assert_allclose(quarter.map_points([(1, 0), (0, 1)]), [(100, 60), (90, 50)])


def test_mirror_comes_before_shear_and_turn():
    placed = Placement(x=0, y=0, size=1, shear=0.5, mirror=True)
    np.testing.assert_allclose(placed.map_points([(1, 0), (1, 1)]), [(-1, 0), (-1.5, 1)])


def test_extent_is_the_box_of_the_drawn_pixels():
    canvas = Image.new("RGB", (200, 100))
    pen = Pen(canvas, Placement(x=120, y=40, size=30, angle=0.4))
    pen.box(-1, -0.5, 1, 0.5, (255, 255, 255), radius=0.1)
    pen.line([(-1, 0), (1.2, 0)], 0.2, (255, 255, 255))
    assert pen.extent() == pytest.approx(canvas.getbbox(), abs=2)


def test_opacity_blends():
    canvas = Image.new("RGB", (10, 10), (100, 100, 100))
    Pen(canvas, Placement(x=5, y=5, size=10)).box(-1, -1, 1, 1, (200, 200, 200, 128))
    assert canvas.getpixel((5, 5)) == pytest.approx((150, 150, 150), abs=1)


def test_band_leaves_its_middle_empty():
    canvas = Image.new("RGB", (100, 100))
    Pen(canvas, Placement(x=50, y=50, size=40)).band(0, 0, 0.8, 0.8, 0.2, (255, 255, 255))
    assert canvas.getpixel((50, 50)) == (0, 0, 0)
    assert canvas.getpixel((82, 50)) == (255, 255, 255)


def test_arc_runs_clockwise_from_the_right():
    points = arc(1, 2, 3, 1, 0, 90)
    assert points[0] == pytest.approx((4, 2))
    assert points[-1] == pytest.approx((1, 3))
