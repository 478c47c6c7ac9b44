"""Draws the picture of one product and says where in it the product is."""

from __future__ import annotations

import io
import math
import random
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from PIL import Image, ImageChops

from trainer.demo_catalogue.backdrops import draw_backdrop, draw_clutter, draw_shadow
from trainer.demo_catalogue.paint import ACCENTS, Colour, build_paint, mix
from trainer.demo_catalogue.pen import Pen, Placement
from trainer.demo_catalogue.shapes import SHAPES

Box = tuple[int, int, int, int]

_SIZES = ((256, 256), (256, 256), (256, 256), (288, 240), (240, 288), (320, 256))
# Drawn at twice the size and averaged down, which smooths the edges.
_OVERSAMPLE = 2
# Digits must not be mirrored.
_READABLE = ("meter",)
# Noise is stored around this value, since pictures hold no negative numbers.
_GREY = 128


@dataclass(frozen=True)
class Picture:
    """A JPEG and the box of the product in it.

    Args:
        jpeg: The encoded file.
        region: `(left, top, right, bottom)` of the product in pixels, right and
            bottom exclusive.
    """

    jpeg: bytes
    region: Box


def draw_picture(shape: str, colour: Colour, key: str, copy: int = 0) -> Picture:
    """Draws one product photo.

    Args:
        shape: str. Which object, a key of `SHAPES`.
        colour: The colour of its body.
        key: str. Seeds every choice; the same key gives the same bytes.
        copy: int. 0 is the picture itself; n > 0 its n-th near-duplicate, the
            same photo cropped and tinted a little.
    """
    scene = random.Random(f"{key}/scene")
    canvas, region = _draw_scene(shape, colour, scene, random.Random(f"{key}/object"))
    if copy:
        canvas, region = _crop(canvas, region, random.Random(f"{key}/crop/{copy}"))
    tint = random.Random(f"{key}/tint/{copy}") if copy else None
    photo = _expose(canvas, random.Random(f"{key}/light"), tint)
    buffer = io.BytesIO()
    photo.save(buffer, "JPEG", quality=scene.randint(84, 92) - 4 * (copy > 0))
    return Picture(buffer.getvalue(), region)


def _draw_scene(
    shape: str, colour: Colour, rng: random.Random, object_rng: random.Random
) -> tuple[Image.Image, Box]:
    width, height = rng.choice(_SIZES)
    body = mix(colour.rgb, rng.choice(((255, 255, 255), (0, 0, 0))), rng.uniform(0, 0.12))
    half = min(width, height) / 2 * rng.uniform(0.58, 0.84)
    slack_x, slack_y = width / 2 - half, height / 2 - half
    placement = Placement(
        x=width / 2 + rng.uniform(-0.7, 0.7) * slack_x,
        y=height / 2 + rng.uniform(-0.7, 0.7) * slack_y,
        size=half,
        angle=math.radians(max(-28.0, min(28.0, rng.gauss(0, 11)))),
        shear=rng.uniform(-0.12, 0.12),
        mirror=rng.random() < 0.5 and shape not in _READABLE,
    )
    backdrop = draw_backdrop((width, height), body, rng)
    draw_shadow(backdrop, placement.x, placement.y + 0.92 * half, 0.9 * half, 0.2 * half)
    canvas = backdrop.resize((_OVERSAMPLE * width, _OVERSAMPLE * height), Image.Resampling.NEAREST)
    draw_clutter(canvas, rng, rng.choice((0, 1, 2, 3)))
    large = replace(
        placement,
        x=placement.x * _OVERSAMPLE,
        y=placement.y * _OVERSAMPLE,
        size=placement.size * _OVERSAMPLE,
    )
    pen = Pen(canvas, large)
    SHAPES[shape](pen, build_paint(body, rng.choice(ACCENTS)), object_rng)
    if rng.random() < 0.15:
        draw_clutter(canvas, rng, 1)
    left, top, right, bottom = (value / _OVERSAMPLE for value in pen.extent())
    return canvas.reduce(_OVERSAMPLE), _clip((left, top, right, bottom), width, height)


def _clip(box: tuple[float, float, float, float], width: int, height: int) -> Box:
    left, top, right, bottom = box
    return (
        max(0, math.floor(left)),
        max(0, math.floor(top)),
        min(width, math.ceil(right)),
        min(height, math.ceil(bottom)),
    )


def _crop(picture: Image.Image, region: Box, rng: random.Random) -> tuple[Image.Image, Box]:
    """Cuts up to 2 % off width and height, which keeps their ratio."""
    width, height = picture.size
    share = rng.uniform(0.004, 0.02)
    left, top = round(width * share * rng.random()), round(height * share * rng.random())
    right, bottom = left + round(width * (1 - share)), top + round(height * (1 - share))
    cut = picture.crop((left, top, right, bottom))
    moved = (region[0] - left, region[1] - top, region[2] - left, region[3] - top)
    return cut, _clip(moved, *cut.size)


def _expose(picture: Image.Image, rng: random.Random, tint: random.Random | None) -> Image.Image:
    """Applies slanted light, a warm or cold cast, a copy's tint, and sensor noise."""
    brightness, warmth = rng.uniform(0.95, 1.2), rng.uniform(-0.05, 0.05)
    cast = [255 * gain for gain in (1 + warmth, 1.0, 1 - warmth)]
    if tint is not None:
        # Red and blue change against each other, which keeps the brightness.
        shift = tint.uniform(-0.08, 0.08)
        cast = [cast[0] * (1 - shift), cast[1], cast[2] * (1 + 2 * shift)]
    corners = [rng.uniform(0.78, 1.0) for _ in range(4)]
    light = Image.new("RGB", (2, 2))
    for place, corner in enumerate(corners):
        gain = corner / max(corners)
        r, g, b = (min(255, round(value * gain)) for value in cast)
        light.putpixel((place % 2, place // 2), (r, g, b))
    lit = ImageChops.multiply(picture, light.resize(picture.size, Image.Resampling.BILINEAR))
    grain = _grain(rng.randint(1, 6))
    x, y = rng.randrange(grain.width - lit.width), rng.randrange(grain.height - lit.height)
    piece = grain.crop((x, y, x + lit.width, y + lit.height))
    curve = [min(255, round(value * brightness)) for value in range(256)]
    return ImageChops.add(lit.point(curve * 3), piece, offset=-_GREY)


@cache
def _grain(strength: int) -> Image.Image:
    """One sheet of noise that pictures take pieces of: drawing it anew costs 5 ms."""
    noise = np.random.default_rng(0).standard_normal((400, 400))
    sheet = Image.fromarray(np.rint(_GREY + strength * noise).astype(np.uint8))
    return Image.merge("RGB", (sheet, sheet, sheet))
