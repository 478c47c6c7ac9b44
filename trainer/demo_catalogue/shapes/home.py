"""Things at home: dome camera, two-part sensor, speaker, lamp, plug."""

from __future__ import annotations

import random

from trainer.demo_catalogue.paint import Paint, mix
from trainer.demo_catalogue.pen import Pen, arc


def draw_dome(pen: Pen, paint: Paint, rng: random.Random) -> None:
    """A dome camera that hangs from its base plate."""
    deep = rng.uniform(0.8, 0.98)
    pen.box(-0.98, -0.8, 0.98, -0.42, paint.body, radius=0.12, edge=paint.edge)
    pen.box(-0.9, -0.76, 0.9, -0.66, paint.light, radius=0.04)
    pen.polygon(((-0.86, -0.42), (0.86, -0.42), (0.78, -0.2), (-0.78, -0.2)), paint.dark)
    pen.polygon(arc(0, -0.2, 0.74, deep, 0, 180), paint.glass, paint.edge)
    x, y = rng.uniform(-0.22, 0.22), rng.uniform(0.06, 0.2)
    for radius, fill in (
        (0.34, (58, 66, 84)),
        (0.25, (14, 16, 24)),
        (0.15, (48, 78, 140)),
        (0.06, (190, 215, 255)),
    ):
        pen.ellipse(x, y, radius, radius, fill)
    for side in (-0.48, 0.48):
        pen.ellipse(side, 0.02, 0.05, 0.05, (170, 40, 50))
    shine = arc(0, -0.2, 0.6, deep - 0.14, 115, 165) + arc(0, -0.2, 0.5, deep - 0.3, 165, 115)
    pen.polygon(shine, (255, 255, 255, 70))


def draw_sensor(pen: Pen, paint: Paint, rng: random.Random) -> None:
    """A contact or beam sensor: a long part and a short one, side by side."""
    gap = rng.uniform(0.12, 0.26)
    pen.box(-0.72, -0.98, gap / 2 - 0.12, 0.98, paint.body, radius=0.12, edge=paint.edge)
    pen.box(-0.64, -0.9, -0.5, 0.9, paint.light, radius=0.06)
    low = rng.uniform(0.1, 0.3)
    pen.box(gap, -0.55 + low, gap + 0.42, 0.55 + low, paint.body, radius=0.1, edge=paint.edge)
    pen.line(((gap + 0.21, -0.35 + low), (gap + 0.21, 0.35 + low)), 0.04, paint.dark)
    middle = (gap / 2 - 0.84) / 2
    pen.ellipse(middle, -0.62, 0.09, 0.09, paint.accent, paint.edge)
    for y in (0.5, 0.6, 0.7):
        pen.line(((middle - 0.12, y), (middle + 0.12, y)), 0.03, paint.dark)
    for radius in (0.12, 0.2):
        pen.band(gap - 0.08, low, radius, radius * 1.6, 0.03, paint.accent, 140, 220)


def draw_speaker(pen: Pen, paint: Paint, rng: random.Random) -> None:
    """A cylinder in woven cloth with a ring of light on top."""
    wide = rng.uniform(0.52, 0.66)
    cloth = mix(paint.body, (60, 62, 72), 0.35)
    pen.ellipse(0, 0.8, wide, 0.18, paint.edge)
    pen.box(-wide, -0.76, wide, 0.8, cloth)
    pen.ellipse(0, 0.78, wide, 0.16, cloth)
    mesh = mix(cloth, (0, 0, 0), 0.3)
    for row in range(13):
        y = -0.5 + row * 0.1
        shift = 0.05 * (row % 2)
        for column in range(-5, 6):
            x = column * wide / 5.6 + shift * 0.8
            if abs(x) < wide - 0.05:
                pen.ellipse(x, y + 0.1 * (1 - (x / wide) ** 2), 0.022, 0.022, mesh)
    pen.polygon(
        ((-wide, -0.7), (-wide + 0.12, -0.66), (-wide + 0.12, 0.88), (-wide, 0.8)),
        (255, 255, 255, 50),
    )
    pen.polygon(((wide, -0.7), (wide - 0.2, -0.66), (wide - 0.2, 0.88), (wide, 0.8)), (0, 0, 0, 50))
    pen.ellipse(0, -0.76, wide, 0.2, paint.body, paint.edge)
    pen.ellipse(0, -0.77, wide * 0.72, 0.13, paint.glass)
    pen.band(0, -0.77, wide * 0.72, 0.13, 0.045, paint.accent)


def draw_lamp(pen: Pen, paint: Paint, rng: random.Random) -> None:
    """A table lamp with a wide shade and its glow."""
    top = rng.uniform(0.28, 0.45)
    for radius, opacity in ((0.98, 34), (0.8, 40)):
        pen.ellipse(0, -0.1, radius, radius * 0.8, (255, 226, 140, opacity))
    pen.ellipse(0, 0.86, 0.46, 0.14, paint.edge)
    pen.ellipse(0, 0.83, 0.44, 0.12, paint.metal)
    pen.box(-0.06, -0.1, 0.06, 0.84, paint.metal, edge=paint.edge)
    pen.ellipse(0, 0.42, 0.14, 0.22, paint.accent, paint.edge)
    shade = ((-top, -0.98), (top, -0.98), (0.8, 0.06), (-0.8, 0.06))
    pen.polygon(shade, paint.body, paint.edge)
    pen.polygon(
        ((-top * 0.4, -0.97), (0.1, -0.97), (0.2, 0.05), (-0.42, 0.05)), (255, 236, 170, 120)
    )
    pen.line(((-0.8, 0.05), (0.8, 0.05)), 0.06, (255, 240, 190))


def draw_plug(pen: Pen, paint: Paint, rng: random.Random) -> None:
    """A socket adapter seen from the front: round socket, two holes, a button."""
    pen.box(-0.8, -0.9, 0.8, 0.9, paint.body, radius=0.26, edge=paint.edge)
    pen.box(-0.7, -0.82, 0.7, -0.7, paint.light, radius=0.05)
    pen.ellipse(0, -0.12, 0.6, 0.6, paint.dark, paint.edge)
    pen.ellipse(0, -0.09, 0.52, 0.52, mix(paint.body, (255, 255, 255), 0.25))
    spread = rng.uniform(0.2, 0.26)
    for side in (-spread, spread):
        pen.ellipse(side, -0.09, 0.09, 0.09, (26, 28, 34))
    for y in (-0.59, 0.41):
        pen.box(-0.1, y - 0.06, 0.1, y + 0.06, paint.metal, radius=0.02)
    pen.box(-0.2, 0.62, 0.2, 0.78, paint.accent, radius=0.07, edge=paint.edge)
