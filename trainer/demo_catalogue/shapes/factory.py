"""Things on a production line: robot arm, valve, motor."""

from __future__ import annotations

import math
import random

from trainer.demo_catalogue.paint import Paint
from trainer.demo_catalogue.pen import Pen


def draw_robot_arm(pen: Pen, paint: Paint, rng: random.Random) -> None:
    """A jointed arm on a foot, with a gripper."""
    elbow = (rng.uniform(-0.3, -0.1), rng.uniform(-0.66, -0.52))
    wrist = (rng.uniform(0.52, 0.66), rng.uniform(-0.5, -0.3))
    shoulder = (-0.36, 0.34)
    pen.box(-0.88, 0.78, 0.16, 0.98, paint.rubber, radius=0.05, edge=paint.edge)
    pen.polygon(((-0.7, 0.8), (-0.02, 0.8), (-0.16, 0.3), (-0.56, 0.3)), paint.dark, paint.edge)
    for start, end, width in ((shoulder, elbow, 0.32), (elbow, wrist, 0.24)):
        pen.line((start, end), width, paint.edge)
        pen.line((start, end), width - 0.05, paint.body)
        pen.line((start, end), width * 0.18, paint.light)
    for (x, y), radius in ((shoulder, 0.22), (elbow, 0.18), (wrist, 0.13)):
        pen.ellipse(x, y, radius, radius, paint.rubber, paint.edge)
        pen.ellipse(x, y, radius * 0.5, radius * 0.5, paint.accent)
    x, y = wrist
    pen.line(((x, y), (x + 0.08, y + 0.32)), 0.14, paint.metal)
    for side in (-1, 1):
        hand = x + 0.09 + side * 0.16
        pen.line(
            ((x + 0.09, y + 0.36), (hand, y + 0.42), (hand - side * 0.05, y + 0.66)),
            0.07,
            paint.rubber,
        )


def draw_valve(pen: Pen, paint: Paint, rng: random.Random) -> None:
    """A pipe with bolted flanges, a round body, and a hand wheel on top."""
    pen.box(-0.98, 0.22, 0.98, 0.66, paint.metal, edge=paint.edge)
    pen.box(-0.98, 0.28, 0.98, 0.36, (222, 226, 232))
    pen.ellipse(0, 0.44, 0.42, 0.46, paint.body, paint.edge)
    pen.ellipse(-0.1, 0.3, 0.18, 0.16, paint.light)
    for x in (-0.74, 0.58):
        pen.box(x, 0.04, x + 0.16, 0.84, paint.dark, radius=0.03, edge=paint.edge)
        for y in (0.14, 0.74):
            pen.ellipse(x + 0.08, y, 0.05, 0.05, paint.metal, paint.edge)
    pen.polygon(((-0.16, 0.06), (0.16, 0.06), (0.1, -0.34), (-0.1, -0.34)), paint.dark, paint.edge)
    pen.box(-0.05, -0.6, 0.05, -0.3, paint.metal)
    turn = rng.uniform(0, math.pi / 3)
    for spoke in range(3):
        angle = turn + spoke * math.pi / 3
        x, y = 0.58 * math.cos(angle), 0.2 * math.sin(angle)
        pen.line(((-x, -0.64 - y), (x, -0.64 + y)), 0.06, paint.accent)
    rim = [
        (0.6 * math.cos(step * math.pi / 20), -0.64 + 0.22 * math.sin(step * math.pi / 20))
        for step in range(41)
    ]
    pen.line(rim, 0.12, paint.edge)
    pen.line(rim, 0.08, paint.accent)
    pen.ellipse(0, -0.64, 0.1, 0.06, paint.metal, paint.edge)


def draw_motor(pen: Pen, paint: Paint, rng: random.Random) -> None:
    """A finned cylinder on feet with a shaft and a terminal box."""
    for x in (-0.56, 0.12):
        pen.polygon(
            ((x, 0.4), (x + 0.34, 0.4), (x + 0.44, 0.78), (x - 0.1, 0.78)), paint.dark, paint.edge
        )
    pen.box(0.5, -0.08, 0.98, 0.08, (206, 210, 218), radius=0.02, edge=paint.edge)
    pen.box(0.72, -0.05, 0.94, 0.0, paint.metal)
    pen.box(-0.86, -0.52, 0.46, 0.52, paint.body, radius=0.08, edge=paint.edge)
    for fin in range(9):
        y = -0.4 + fin * 0.1
        pen.line(((-0.62, y), (0.3, y)), 0.035, paint.dark)
        pen.line(((-0.62, y + 0.04), (0.3, y + 0.04)), 0.022, paint.light)
    pen.box(0.38, -0.58, 0.56, 0.58, paint.dark, radius=0.04, edge=paint.edge)
    pen.box(-0.98, -0.5, -0.78, 0.5, paint.rubber, radius=0.08, edge=paint.edge)
    left = rng.uniform(-0.5, -0.3)
    pen.box(left, -0.86, left + 0.54, -0.44, paint.body, radius=0.05, edge=paint.edge)
    pen.box(left + 0.06, -0.8, left + 0.48, -0.68, paint.accent, radius=0.02)
