"""The objects that demo products are drawn as, by name."""

from __future__ import annotations

import random
from collections.abc import Callable

from trainer.demo_catalogue.paint import Paint
from trainer.demo_catalogue.pen import Pen
from trainer.demo_catalogue.shapes import desk, factory, home, moving, worn

Shape = Callable[[Pen, Paint, random.Random], None]

SHAPES: dict[str, Shape] = {
    "watch": worn.draw_watch,
    "ring": worn.draw_ring,
    "collar": worn.draw_collar,
    "dome": home.draw_dome,
    "sensor": home.draw_sensor,
    "speaker": home.draw_speaker,
    "lamp": home.draw_lamp,
    "plug": home.draw_plug,
    "drone": moving.draw_drone,
    "rover": moving.draw_rover,
    "scooter": moving.draw_scooter,
    "robot_arm": factory.draw_robot_arm,
    "valve": factory.draw_valve,
    "motor": factory.draw_motor,
    "meter": desk.draw_meter,
    "printer": desk.draw_printer,
    "scanner": desk.draw_scanner,
    "projector": desk.draw_projector,
}
