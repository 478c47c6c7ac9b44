"""Things that move: drone, rover, scooter."""

from __future__ import annotations

import math
import random

from trainer.demo_catalogue.paint import Paint, mix
from trainer.demo_catalogue.pen import Pen


def draw_drone(pen: Pen, paint: Paint, rng: random.Random) -> None:
    """Four rotors on crossed arms, a hull, legs and a gimbal."""
    spread = rng.uniform(0.66, 0.74)
    tips = [(x * spread, y) for x in (-1, 1) for y in (-0.5, 0.26)]
    for x, y in tips:
        pen.line(((0, 0), (x, y)), 0.13, paint.edge)
        pen.line(((0, 0), (x, y)), 0.09, paint.dark)
    for side in (-1, 1):
        pen.line(((side * 0.2, 0.1), (side * 0.36, 0.7)), 0.05, paint.rubber)
        pen.line(((side * 0.16, 0.72), (side * 0.56, 0.72)), 0.06, paint.rubber)
    pen.ellipse(0, 0, 0.38, 0.27, paint.body, paint.edge)
    pen.ellipse(-0.04, -0.09, 0.26, 0.1, paint.light)
    pen.box(-0.15, 0.2, 0.15, 0.44, paint.rubber, radius=0.06, edge=paint.edge)
    pen.ellipse(0, 0.33, 0.09, 0.09, (60, 110, 180))
    for x, y in tips:
        pen.box(x - 0.06, y - 0.1, x + 0.06, y + 0.06, paint.rubber, radius=0.02)
        pen.ellipse(x, y - 0.12, 0.32, 0.1, (60, 66, 80, 90))
        turn = rng.uniform(-0.3, 0.3)
        dx, dy = 0.31 * math.cos(turn), 0.09 * math.sin(turn)
        pen.line(((x - dx, y - 0.12 - dy), (x + dx, y - 0.12 + dy)), 0.035, paint.rubber)
        pen.ellipse(x, y - 0.12, 0.05, 0.035, paint.accent)


def draw_rover(pen: Pen, paint: Paint, rng: random.Random) -> None:
    """A box on six wheels with a hinged lid, lights and a flag."""
    pole = rng.uniform(0.84, 0.98)
    pen.line(((-0.7, -0.3), (-0.7, -pole)), 0.035, paint.metal)
    pen.polygon(((-0.7, -pole), (-0.34, -pole + 0.1), (-0.7, -pole + 0.22)), paint.accent)
    pen.box(-0.94, -0.36, 0.94, 0.5, paint.body, radius=0.18, edge=paint.edge)
    pen.polygon(
        ((-0.86, -0.36), (0.7, -0.36), (0.56, -0.56), (-0.72, -0.56)), paint.dark, paint.edge
    )
    pen.box(-0.92, 0.0, 0.92, 0.1, paint.accent)
    pen.box(-0.6, -0.28, 0.3, -0.06, paint.light, radius=0.06)
    pen.box(0.6, -0.24, 0.92, -0.08, paint.glass, radius=0.06)
    pen.ellipse(0.84, 0.26, 0.08, 0.08, (255, 244, 190), paint.edge)
    for x in (-0.62, 0.0, 0.62):
        pen.ellipse(x, 0.58, 0.29, 0.29, paint.rubber, (20, 20, 24))
        pen.ellipse(x, 0.58, 0.16, 0.16, paint.metal)
        for spoke in range(0, 180, 60):
            dx, dy = (0.14 * f(math.radians(spoke)) for f in (math.cos, math.sin))
            pen.line(((x - dx, 0.58 - dy), (x + dx, 0.58 + dy)), 0.03, paint.rubber)


def draw_scooter(pen: Pen, paint: Paint, rng: random.Random) -> None:
    """A kick scooter from the side: wheels, deck, stem, handlebar."""
    lean = rng.uniform(0.12, 0.22)
    for x in (-0.72, 0.72):
        pen.band(x, 0.74, 0.19, 0.19, 0.1, paint.rubber)
        pen.ellipse(x, 0.74, 0.1, 0.1, paint.metal)
    pen.band(-0.72, 0.74, 0.27, 0.27, 0.06, paint.body, 190, 300)
    pen.line(((0.72, 0.74), (0.72 - lean, -0.86)), 0.15, paint.edge)
    pen.line(((0.72, 0.74), (0.72 - lean, -0.86)), 0.11, paint.body)
    pen.line(((-0.66, 0.6), (0.44, 0.6), (0.64, 0.3)), 0.17, paint.edge)
    pen.line(((-0.66, 0.6), (0.44, 0.6), (0.64, 0.3)), 0.13, mix(paint.body, (30, 30, 36), 0.4))
    pen.line(((-0.55, 0.54), (0.36, 0.54)), 0.04, paint.accent)
    top = 0.72 - lean
    pen.line(((top - 0.3, -0.82), (top, -0.9), (top + 0.22, -0.84)), 0.09, paint.rubber)
    pen.ellipse(top + 0.1, -0.58, 0.1, 0.1, (255, 240, 180), paint.edge)
    pen.box(top - 0.1, -1.0, top + 0.08, -0.88, paint.glass, radius=0.03)
