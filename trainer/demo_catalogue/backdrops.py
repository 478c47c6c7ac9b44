"""What stands behind and beside a product: walls, tables, clutter."""

from __future__ import annotations

import math
import random

from PIL import Image, ImageDraw, ImageFilter

from trainer.demo_catalogue.paint import Rgb, luminance, mix
from trainer.demo_catalogue.pen import Pen, Placement

_TONES: tuple[Rgb, ...] = (
    (246, 240, 230),
    (226, 234, 240),
    (214, 226, 214),
    (240, 220, 212),
    (200, 212, 230),
    (236, 224, 180),
    (176, 166, 190),
    (120, 140, 150),
    (92, 110, 132),
    (150, 118, 92),
    (70, 82, 80),
    (196, 170, 140),
)


def draw_backdrop(size: tuple[int, int], body: Rgb, rng: random.Random) -> Image.Image:
    """Draws a background that an object of colour `body` stands out from.

    Args:
        size: Width and height in pixels.
        body: Colour of the object.
        rng: Source of all choices.

    Returns:
        RGB image.
    """
    far_off = [tone for tone in _TONES if abs(luminance(tone) - luminance(body)) > 45]
    tone = rng.choice(far_off)
    scene = rng.choice((_studio, _table, _table, _tiles, _stripes, _lights))
    return scene(size, tone, rng)


def _studio(size: tuple[int, int], tone: Rgb, rng: random.Random) -> Image.Image:
    patch = Image.new("RGB", (2, 2))
    for place in range(4):
        corner = mix(tone, rng.choice(_TONES), rng.uniform(0, 0.25))
        patch.putpixel((place % 2, place // 2), corner)
    return patch.resize(size, Image.Resampling.BILINEAR)


def _table(size: tuple[int, int], tone: Rgb, rng: random.Random) -> Image.Image:
    picture = _studio(size, tone, rng)
    draw = ImageDraw.Draw(picture, "RGBA")
    width, height = size
    edge = round(height * rng.uniform(0.55, 0.8))
    wood = mix(tone, rng.choice(((150, 104, 66), (210, 180, 140), (110, 116, 124))), 0.45)
    draw.rectangle((0, edge, width, height), fill=wood)
    draw.rectangle((0, edge, width, edge + 3), fill=mix(wood, (255, 255, 255), 0.3))
    for _ in range(7):
        y = rng.randint(edge + 4, height)
        draw.line((0, y, width, y + rng.randint(-4, 4)), fill=(60, 40, 20, 36), width=2)
    return picture


def _tiles(size: tuple[int, int], tone: Rgb, rng: random.Random) -> Image.Image:
    picture = _studio(size, tone, rng)
    draw = ImageDraw.Draw(picture, "RGBA")
    step = rng.randint(36, 70)
    ink = (255, 255, 255, 90) if luminance(tone) < 150 else (90, 90, 100, 50)
    shift = rng.randrange(step)
    for x in range(shift, size[0], step):
        draw.line((x, 0, x, size[1]), fill=ink, width=2)
    for y in range(shift, size[1], step):
        draw.line((0, y, size[0], y), fill=ink, width=2)
    return picture


def _stripes(size: tuple[int, int], tone: Rgb, rng: random.Random) -> Image.Image:
    picture = _studio(size, tone, rng)
    draw = ImageDraw.Draw(picture, "RGBA")
    lean = rng.uniform(-0.6, 0.6)
    step = rng.randint(26, 60)
    fill = (*mix(tone, rng.choice(_TONES), 0.6), 110)
    for x in range(-size[1], size[0] + size[1], step):
        foot = x + lean * size[1]
        half = step // 2
        draw.polygon(((x, 0), (x + half, 0), (foot + half, size[1]), (foot, size[1])), fill=fill)
    return picture


def _lights(size: tuple[int, int], tone: Rgb, rng: random.Random) -> Image.Image:
    picture = _studio(size, tone, rng)
    draw = ImageDraw.Draw(picture, "RGBA")
    for _ in range(rng.randint(6, 12)):
        x, y, radius = rng.randrange(size[0]), rng.randrange(size[1]), rng.randint(10, 38)
        fill = (*mix(tone, rng.choice(_TONES), 0.7), 90)
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fill)
    return picture


def draw_shadow(picture: Image.Image, x: float, y: float, rx: float, ry: float) -> None:
    """Darkens a soft ellipse around `(x, y)`, in pixels."""
    shrink, blur = 8, 2
    margin = 2 * blur
    half_width, half_height = math.ceil(rx / shrink) + margin, math.ceil(ry / shrink) + margin
    mask = Image.new("L", (2 * half_width, 2 * half_height))
    box = (margin, margin, 2 * half_width - margin, 2 * half_height - margin)
    ImageDraw.Draw(mask).ellipse(box, fill=120)
    soft = mask.filter(ImageFilter.GaussianBlur(blur))
    soft = soft.resize((soft.width * shrink, soft.height * shrink), Image.Resampling.BILINEAR)
    corner = (round(x) - soft.width // 2, round(y) - soft.height // 2)
    picture.paste((20, 20, 30), (*corner, corner[0] + soft.width, corner[1] + soft.height), soft)


def draw_clutter(canvas: Image.Image, rng: random.Random, amount: int) -> None:
    """Draws `amount` small things near the edges: books, cups, leaves, balls, cables."""
    for _ in range(amount):
        around = rng.uniform(0, 2 * math.pi)
        placement = Placement(
            x=canvas.width * (0.5 + 0.5 * math.cos(around)),
            y=canvas.height * (0.5 + 0.46 * math.sin(around)),
            size=min(canvas.size) * rng.uniform(0.07, 0.14),
            angle=rng.uniform(-0.6, 0.6),
        )
        pen = Pen(canvas, placement)
        colour = mix(rng.choice(_TONES), rng.choice(_TONES), 0.5)
        rng.choice((_draw_book, _draw_cup, _draw_leaf, _draw_ball, _draw_cable))(pen, colour)


def _draw_book(pen: Pen, colour: Rgb) -> None:
    pen.box(-1, -0.7, 1, 0.7, colour, radius=0.1, edge=mix(colour, (0, 0, 0), 0.4))
    pen.box(-0.8, -0.5, -0.6, 0.5, mix(colour, (255, 255, 255), 0.4))


def _draw_cup(pen: Pen, colour: Rgb) -> None:
    edge = mix(colour, (0, 0, 0), 0.35)
    pen.band(0.75, 0, 0.4, 0.4, 0.16, edge)
    pen.polygon(((-0.8, -0.8), (0.8, -0.8), (0.6, 0.9), (-0.6, 0.9)), colour, edge)
    pen.ellipse(0, -0.8, 0.8, 0.2, mix(colour, (50, 30, 20), 0.6), edge)


def _draw_leaf(pen: Pen, _: Rgb) -> None:
    for side, green in ((-0.6, (86, 140, 90)), (0.6, (110, 164, 104)), (0.0, (98, 152, 96))):
        tip = (side * 1.6, -1.2 + abs(side))
        pen.polygon(((0, 1), (side - 0.3, 0), tip, (side + 0.3, 0)), green, (50, 96, 60))


def _draw_ball(pen: Pen, colour: Rgb) -> None:
    pen.ellipse(0, 0, 0.7, 0.7, colour, mix(colour, (0, 0, 0), 0.35))
    pen.ellipse(-0.2, -0.25, 0.2, 0.16, mix(colour, (255, 255, 255), 0.6))


def _draw_cable(pen: Pen, colour: Rgb) -> None:
    wave = [(-1.5 + step * 0.2, 0.5 * math.sin(step * 0.9)) for step in range(16)]
    pen.line(wave, 0.16, mix(colour, (30, 30, 36), 0.6))
