"""Things on a desk or counter: meter, printer, scanner, projector."""

from __future__ import annotations

import random

from trainer.demo_catalogue.paint import Paint, mix
from trainer.demo_catalogue.pen import Pen

_SEGMENTS = {
    "top": ((0, 0), (1, 0)),
    "high left": ((0, 0), (0, 1)),
    "high right": ((1, 0), (1, 1)),
    "middle": ((0, 1), (1, 1)),
    "low left": ((0, 1), (0, 2)),
    "low right": ((1, 1), (1, 2)),
    "bottom": ((0, 2), (1, 2)),
}
_UNLIT = (
    ("middle",),
    ("top", "high left", "middle", "low left", "bottom"),
    ("high left", "low right"),
    ("high left", "low left"),
    ("top", "low left", "bottom"),
    ("high right", "low left"),
    ("high right",),
    ("high left", "middle", "low left", "bottom"),
    (),
    ("low left",),
)


def draw_meter(pen: Pen, paint: Paint, rng: random.Random) -> None:
    """A hand-held meter with a large display of digits and two buttons."""
    pen.box(-0.68, -0.98, 0.68, 0.98, paint.body, radius=0.22, edge=paint.edge)
    pen.box(-0.6, -0.9, 0.6, -0.82, paint.light, radius=0.04)
    pen.box(-0.54, -0.74, 0.54, 0.24, paint.edge, radius=0.08)
    lcd = rng.choice(((186, 206, 178), (196, 212, 222), (210, 206, 182)))
    pen.box(-0.48, -0.68, 0.48, 0.18, lcd, radius=0.05)
    for place in range(3):
        _draw_digit(pen, -0.38 + place * 0.28, -0.54, rng.randrange(10))
    for bar in range(rng.randint(2, 6)):
        pen.box(-0.38 + bar * 0.13, 0.02, -0.3 + bar * 0.13, 0.1, (40, 48, 52))
    pen.ellipse(-0.3, 0.6, 0.19, 0.19, paint.accent, paint.edge)
    pen.ellipse(0.3, 0.6, 0.19, 0.19, paint.dark, paint.edge)
    pen.line(((0.22, 0.6), (0.38, 0.6)), 0.05, (240, 240, 240))


def _draw_digit(pen: Pen, left: float, top: float, digit: int) -> None:
    for name, ends in _SEGMENTS.items():
        if name not in _UNLIT[digit]:
            pen.line([(left + 0.17 * x, top + 0.21 * y) for x, y in ends], 0.05, (40, 48, 52))


def draw_printer(pen: Pen, paint: Paint, rng: random.Random) -> None:
    """A box that takes paper at the top and gives it out in front."""
    paper = (250, 250, 246)
    high = rng.uniform(0.86, 0.98)
    pen.polygon(
        ((-0.46, -0.3), (0.46, -0.3), (0.56, -high), (-0.56, -high)), paper, (150, 150, 150)
    )
    pen.polygon(
        ((-0.86, -0.18), (0.86, -0.18), (0.66, -0.44), (-0.66, -0.44)), paint.dark, paint.edge
    )
    pen.box(-0.96, -0.2, 0.96, 0.62, paint.body, radius=0.12, edge=paint.edge)
    pen.box(-0.62, 0.22, 0.62, 0.38, (34, 36, 42), radius=0.04)
    out = rng.uniform(0.8, 0.96)
    pen.polygon(((-0.48, 0.32), (0.48, 0.32), (0.6, out), (-0.6, out)), paper, (150, 150, 150))
    for line in range(4):
        y = 0.44 + line * 0.1
        width = rng.uniform(0.14, 0.4)
        if y < out - 0.06:
            pen.line(((-0.4, y), (-0.4 + 2 * width, y)), 0.025, (120, 126, 140))
    pen.box(0.4, -0.1, 0.84, 0.1, paint.glass, radius=0.04)
    pen.box(0.46, -0.05, 0.66, 0.05, mix(paint.accent, (255, 255, 255), 0.3))
    for x in (-0.8, -0.66, -0.52):
        pen.ellipse(x, 0.0, 0.05, 0.05, paint.accent if x == -0.8 else paint.dark)


def draw_scanner(pen: Pen, paint: Paint, rng: random.Random) -> None:
    """A pistol-shaped reader with its fan of red light."""
    wide = rng.uniform(0.3, 0.46)
    pen.polygon(((-0.5, -0.52), (-1.0, -0.52 - wide), (-1.0, -0.52 + wide)), (255, 60, 60, 90))
    pen.line(((-1.0, -0.52 - wide), (-1.0, -0.52 + wide)), 0.04, (255, 40, 40))
    grip = ((0.1, -0.3), (0.56, -0.36), (0.84, 0.9), (0.42, 0.98))
    pen.polygon(grip, paint.dark, paint.edge)
    pen.polygon(((0.46, -0.1), (0.56, -0.1), (0.76, 0.84), (0.64, 0.88)), paint.rubber)
    pen.line(((0.1, -0.18), (0.02, 0.06), (0.2, 0.16)), 0.08, paint.accent)
    head = (
        (-0.46, -0.84),
        (0.62, -0.78),
        (0.78, -0.44),
        (0.56, -0.18),
        (-0.3, -0.22),
        (-0.54, -0.4),
    )
    pen.polygon(head, paint.body, paint.edge)
    pen.polygon(((-0.34, -0.76), (0.54, -0.7), (0.6, -0.6), (-0.36, -0.64)), paint.light)
    pen.polygon(((-0.46, -0.84), (-0.36, -0.83), (-0.42, -0.34), (-0.54, -0.4)), paint.glass)
    pen.ellipse(0.4, -0.46, 0.07, 0.07, (90, 230, 120), paint.edge)


def draw_projector(pen: Pen, paint: Paint, rng: random.Random) -> None:
    """A flat box with a big lens, vents and a beam of light."""
    wide = rng.uniform(0.4, 0.6)
    pen.polygon(((0.44, 0.0), (0.98, -wide - 0.4), (0.98, wide)), (255, 246, 200, 110))
    for x in (-0.76, 0.56):
        pen.box(x, 0.46, x + 0.18, 0.6, paint.rubber, radius=0.03)
    pen.polygon(
        ((-0.9, -0.36), (0.84, -0.36), (0.66, -0.6), (-0.74, -0.6)), paint.light, paint.edge
    )
    pen.box(-0.98, -0.38, 0.92, 0.48, paint.body, radius=0.1, edge=paint.edge)
    for slot in range(6):
        x = -0.84 + slot * 0.13
        pen.line(((x, -0.2), (x, 0.3)), 0.045, paint.dark)
    for radius, fill in (
        (0.42, paint.edge),
        (0.36, paint.metal),
        (0.28, (24, 28, 44)),
        (0.18, (86, 120, 190)),
        (0.08, (255, 252, 230)),
    ):
        pen.ellipse(0.38, 0.04, radius, radius, fill)
    for x in (-0.4, -0.24, -0.08):
        pen.ellipse(x, -0.48, 0.06, 0.035, paint.accent)
