"""The colours of the demo products and what follows from one of them."""

from __future__ import annotations

from dataclasses import dataclass

Rgb = tuple[int, int, int]


@dataclass(frozen=True)
class Colour:
    """A colour that a product comes in, with the names that titles use."""

    english: str
    chinese: str
    rgb: Rgb


# Colours say nothing about the class.
COLOURS = (
    Colour("Pearl White", "珍珠白", (240, 238, 232)),
    Colour("Graphite", "石墨灰", (74, 79, 88)),
    Colour("Obsidian", "曜石黑", (44, 46, 54)),
    Colour("Silver", "月光银", (188, 194, 202)),
    Colour("Coral", "珊瑚橙", (235, 116, 96)),
    Colour("Sage", "鼠尾草绿", (134, 166, 136)),
    Colour("Navy", "海军蓝", (50, 74, 122)),
    Colour("Sand", "沙丘米", (216, 196, 160)),
    Colour("Sky", "天空蓝", (112, 172, 216)),
    Colour("Amber", "琥珀黄", (234, 176, 70)),
    Colour("Lilac", "丁香紫", (168, 148, 206)),
    Colour("Mint", "薄荷绿", (146, 212, 186)),
)

ACCENTS: tuple[Rgb, ...] = (
    (255, 120, 60),
    (30, 170, 200),
    (80, 190, 110),
    (240, 80, 110),
    (250, 200, 60),
    (130, 110, 240),
)


def mix(first: Rgb, second: Rgb, share: float) -> Rgb:
    """Returns the colour a `share` (0 to 1) of the way from `first` to `second`."""
    r, g, b = (round(a + (z - a) * share) for a, z in zip(first, second, strict=True))
    return r, g, b


def luminance(colour: Rgb) -> float:
    """Returns how bright a colour looks, 0 to 255 (Rec. 601)."""
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]


@dataclass(frozen=True)
class Paint:
    """The shades that one object is drawn with."""

    body: Rgb
    dark: Rgb
    light: Rgb
    edge: Rgb
    accent: Rgb
    glass: Rgb = (28, 34, 46)
    metal: Rgb = (150, 156, 166)
    rubber: Rgb = (52, 54, 60)


def build_paint(body: Rgb, accent: Rgb) -> Paint:
    """Returns the shades that go with a body colour and an accent."""
    return Paint(
        body=body,
        dark=mix(body, (16, 18, 30), 0.3),
        light=mix(body, (255, 255, 255), 0.45),
        edge=mix(body, (10, 12, 24), 0.55),
        accent=accent,
    )
