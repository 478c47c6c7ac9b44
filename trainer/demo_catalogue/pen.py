"""Draws an object in its own coordinates, wherever it stands in the picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image, ImageDraw

Point = tuple[float, float]
Fill = tuple[int, ...]


@dataclass(frozen=True)
class Placement:
    """Where an object stands: turned, sheared, perhaps mirrored, scaled, moved.

    Args:
        x, y: Centre, in pixels of the canvas.
        size: Pixels per unit; an object fills about [-1, 1] in both directions.
        angle: Clockwise turn in radians.
        shear: Sideways lean; 0.1 moves the top by a tenth of the height.
        mirror: Swaps left and right.
    """

    x: float
    y: float
    size: float
    angle: float = 0.0
    shear: float = 0.0
    mirror: bool = False

    def map_points(self, points: Sequence[Point]) -> list[Point]:
        """Returns where points of the object stand on the canvas."""
        cos, sin = self.size * math.cos(self.angle), self.size * math.sin(self.angle)
        flip = -1 if self.mirror else 1
        # x' = flip * x - shear * y, then the turn.
        a, b = flip * cos, -self.shear * cos - sin
        c, d = flip * sin, -self.shear * sin + cos
        return [(self.x + a * x + b * y, self.y + c * x + d * y) for x, y in points]


class Pen:
    """Draws polygons and what is made of them, and keeps track of their extent.

    Everything is placed analytically, which costs a fraction of turning pixels
    and gives the bounding box for free. A fill may have a fourth number, its
    opacity from 0 to 255.

    Args:
        canvas: RGB image that is drawn on.
        placement: Where the object stands on it.
    """

    def __init__(self, canvas: Image.Image, placement: Placement) -> None:
        self._opaque = ImageDraw.Draw(canvas)
        self._blended = ImageDraw.Draw(canvas, "RGBA")
        self._placement = placement
        self._xs: list[float] = []
        self._ys: list[float] = []

    def extent(self) -> tuple[float, float, float, float]:
        """Returns `(left, top, right, bottom)` of all that was drawn, in canvas pixels."""
        return min(self._xs), min(self._ys), max(self._xs), max(self._ys)

    def polygon(self, points: Sequence[Point], fill: Fill, edge: Fill | None = None) -> None:
        """Fills a polygon and, where `edge` is given, draws its outline."""
        placed = self._place(points)
        self._draw(fill).polygon(placed, fill=fill)
        if edge is not None:
            self._stroke([*placed, placed[0], placed[1]], 0.022, edge)

    def box(
        self,
        left: float,
        top: float,
        right: float,
        bottom: float,
        fill: Fill,
        radius: float = 0.0,
        edge: Fill | None = None,
    ) -> None:
        """Fills a rectangle, its corners rounded by `radius`."""
        corners = ((right, top), (right, bottom), (left, bottom), (left, top))
        if radius == 0:
            self.polygon(corners, fill, edge)
            return
        points = []
        signs = ((-1, 1), (-1, -1), (1, -1), (1, 1))
        for quarter, ((x, y), (sx, sy)) in enumerate(zip(corners, signs, strict=True)):
            for step in range(6):
                turn = (quarter - 1 + step / 5) * math.pi / 2
                points.append(
                    (
                        x + radius * (sx + math.cos(turn)),
                        y + radius * (sy + math.sin(turn)),
                    )
                )
        self.polygon(points, fill, edge)

    def ellipse(
        self, x: float, y: float, rx: float, ry: float, fill: Fill, edge: Fill | None = None
    ) -> None:
        """Fills an ellipse around `(x, y)`."""
        self.polygon(arc(x, y, rx, ry), fill, edge)

    def line(self, points: Sequence[Point], width: float, fill: Fill) -> None:
        """Draws a line `width` units wide with round ends and joints."""
        placed = self._place(points, margin=width / 2)
        self._stroke(placed, width, fill)
        # Caps of a see-through line would show where they overlap it.
        if len(fill) == 3 and width > 0.03:
            radius = width * self._placement.size / 2
            for x, y in (placed[0], placed[-1]):
                self._opaque.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fill)

    def band(
        self,
        x: float,
        y: float,
        rx: float,
        ry: float,
        width: float,
        fill: Fill,
        start: float = 0.0,
        end: float = 360.0,
    ) -> None:
        """Draws a stroke `width` units wide along an ellipse, from `start` to `end` degrees."""
        half = width / 2
        outer = arc(x, y, rx + half, ry + half, start, end)
        self.polygon(outer + arc(x, y, rx - half, ry - half, end, start), fill)

    def _draw(self, fill: Fill) -> ImageDraw.ImageDraw:
        # Blending costs several times as much as plain filling.
        return self._blended if len(fill) == 4 else self._opaque

    def _place(self, points: Sequence[Point], margin: float = 0.0) -> list[Point]:
        placed = self._placement.map_points(points)
        pad = margin * self._placement.size
        xs, ys = zip(*placed, strict=True)
        self._xs += (min(xs) - pad, max(xs) + pad)
        self._ys += (min(ys) - pad, max(ys) + pad)
        return placed

    def _stroke(self, placed: Sequence[Point], width: float, fill: Fill) -> None:
        pixels = max(1, round(width * self._placement.size))
        self._draw(fill).line(
            placed, fill=fill, width=pixels, joint="curve" if pixels > 8 else None
        )


def arc(
    x: float, y: float, rx: float, ry: float, start: float = 0.0, end: float = 360.0
) -> list[Point]:
    """Returns points along an ellipse from `start` to `end` degrees, clockwise from the right."""
    return [(x + rx * cos, y + ry * sin) for cos, sin in _unit_arc(start, end)]


@lru_cache(maxsize=256)
def _unit_arc(start: float, end: float) -> list[Point]:
    steps = max(6, round(abs(end - start) / 10))
    turns = [math.radians(start + (end - start) * step / steps) for step in range(steps + 1)]
    return [(math.cos(turn), math.sin(turn)) for turn in turns]
