"""Things that are worn: watch, ring, collar."""

from __future__ import annotations

import random

from trainer.demo_catalogue.paint import Paint, mix
from trainer.demo_catalogue.pen import Pen, arc


def draw_watch(pen: Pen, paint: Paint, rng: random.Random) -> None:
    """A watch seen from the front: strap, case, crown, lit screen."""
    strap = rng.choice((paint.rubber, paint.dark, mix(paint.accent, (20, 20, 30), 0.35)))
    end = rng.uniform(0.22, 0.3)
    strap_edge = mix(strap, (0, 0, 0), 0.5)
    for side in (-1, 1):
        corners = ((-0.38, 0.45), (0.38, 0.45), (end, 1.0), (-end, 1.0))
        pen.polygon([(x, side * y) for x, y in corners], strap, strap_edge)
    for y in (0.66, 0.77, 0.88):
        pen.ellipse(0, y, 0.035, 0.035, mix(strap, (0, 0, 0), 0.6))
    pen.box(-0.2, -0.86, 0.2, -0.76, paint.metal, radius=0.03)
    pen.box(0.5, -0.12, 0.64, 0.1, paint.metal, radius=0.04, edge=paint.edge)
    if rng.random() < 0.5:
        pen.box(-0.54, -0.58, 0.54, 0.58, paint.body, radius=0.2, edge=paint.edge)
        pen.box(-0.44, -0.48, 0.44, 0.48, paint.glass, radius=0.14)
    else:
        pen.ellipse(0, 0, 0.58, 0.58, paint.body, paint.edge)
        pen.ellipse(0, 0, 0.48, 0.48, paint.glass)
    goal = rng.uniform(90, 330)
    pen.band(0, 0, 0.36, 0.36, 0.05, (70, 78, 92))
    pen.band(0, 0, 0.36, 0.36, 0.06, paint.accent, -90, -90 + goal)
    for number in range(3):
        width = rng.uniform(0.1, 0.2)
        y = -0.12 + number * 0.12
        pen.line(((-width, y), (width, y)), 0.05, (235, 238, 244))
    pen.polygon(((-0.36, -0.3), (-0.1, -0.4), (-0.3, 0.3), (-0.4, 0.2)), (255, 255, 255, 26))


def draw_ring(pen: Pen, paint: Paint, rng: random.Random) -> None:
    """A finger ring seen at a slant, with sensors on its inside."""
    tall = rng.uniform(0.62, 0.84)
    band = rng.uniform(0.22, 0.3)
    inner = mix(paint.dark, (10, 12, 20), 0.5)
    depth = rng.uniform(0.1, 0.18)
    pen.band(depth, 0, 0.78, tall, band, paint.edge)
    pen.band(depth * 0.6, 0, 0.78, tall, band * 1.15, inner)
    for degrees in (150, 180, 210):
        x, y = arc(depth * 0.6, 0, 0.74, tall - 0.04, degrees, degrees + 1)[0]
        pen.ellipse(x, y, 0.06, 0.05, (90, 240, 150))
    pen.band(-depth, 0, 0.8, tall, band, paint.edge)
    pen.band(-depth, 0, 0.8, tall, band - 0.05, paint.body)
    pen.band(-depth, 0, 0.8, tall, band * 0.35, paint.light, 195, 290)
    pen.band(-depth, 0, 0.8, tall, band * 0.35, paint.dark, 20, 100)


def draw_collar(pen: Pen, paint: Paint, rng: random.Random) -> None:
    """An animal's collar: a wide flat loop with a tag box hanging below."""
    strap = mix(paint.accent, (30, 30, 30), 0.2)
    pen.band(0, -0.25, 0.86, 0.42, 0.15, mix(strap, (0, 0, 0), 0.5), 180, 360)
    pen.band(0, -0.25, 0.86, 0.42, 0.24, mix(strap, (0, 0, 0), 0.5), 0, 180)
    pen.band(0, -0.25, 0.86, 0.42, 0.2, strap, 0, 180)
    for degrees in range(20, 170, 18):
        x, y = arc(0, -0.25, 0.86, 0.42, degrees, degrees + 1)[0]
        pen.ellipse(x, y, 0.025, 0.025, (240, 236, 220))
    wide = rng.uniform(0.3, 0.38)
    pen.box(-wide, 0.06, wide, 0.82, paint.body, radius=0.1, edge=paint.edge)
    pen.box(-wide + 0.08, 0.14, wide - 0.08, 0.4, paint.glass, radius=0.04)
    for x in (-0.2, -0.07, 0.07, 0.2):
        pen.line(((x, 0.17), (x, 0.37)), 0.02, (80, 110, 160))
    pen.ellipse(0, 0.6, 0.11, 0.11, paint.accent, paint.edge)
    pen.box(0.5, -0.06, 0.72, 0.22, paint.metal, radius=0.04, edge=paint.edge)
