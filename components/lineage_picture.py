"""Lineage as a picture: a box for each step with what it made, arrows to what read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from components.layers import Bend, find_chain, find_layers
from components.lineage import Lineage, Step

_CHARACTER, _SMALL_CHARACTER, _LINE, _MARGIN, _PAD = 6.9, 6.1, 17, 28, 10
_GAP_ACROSS, _GAP_DOWN, _BEND = 34, 66, 30
_FILL, _EDGE = "#f4f6fa", "#5b6b86"
_DATA, _TARGET = "#e8f3ea", "#fdf0d8"
_DIGITS = 12

Point = tuple[float, float]
Pair = tuple[int, int]
"""Executions that an arrow joins."""


@dataclass(frozen=True)
class _Box:
    """A step in the picture: middle of its upper edge, size, lines of text."""

    x: float
    y: float
    width: float
    height: float
    lines: Sequence[str]
    fill: str


def draw(lineage: Lineage) -> str:
    """Returns an SVG picture; data above, the target below."""
    needs = {number: sorted(set(step.makers.values())) for number, step in lineage.steps.items()}
    layers = find_layers(needs)
    labels = _label_arrows(lineage)
    boxes, bends, width, height = _place(layers, lineage, labels)
    parts = [_arrow(line, label) for line, label in _route(layers, boxes, bends, labels)]
    parts += [_draw_box(box) for box in boxes.values()]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" font-family="DejaVu Sans, Helvetica, sans-serif" '
        'font-size="11">\n'
        '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" '
        f'markerHeight="8" orient="auto"><path d="M0,0.5 L8,4 L0,7.5 z" fill="{_EDGE}"/></marker>'
        '</defs>\n<rect width="100%" height="100%" fill="white"/>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _label_arrows(lineage: Lineage) -> dict[Pair, str]:
    """Returns what each arrow stands for, by the boxes that it joins: names of inputs."""
    names: dict[Pair, list[str]] = {}
    for number, step in lineage.steps.items():
        for role, maker in step.makers.items():
            names.setdefault((maker, number), []).append(role)
    return {pair: ", ".join(roles) for pair, roles in names.items()}


def _describe(step: Step, lineage: Lineage) -> list[str]:
    execution = step.execution
    lines = [f"{execution.node} #{execution.id}", f"code {execution.code[:_DIGITS]}"]
    if step.read:
        lines.append(f"files {step.read[:_DIGITS]}")
    used = {of.id for other in lineage.steps.values() for of in other.inputs.values()}
    for name, made in step.outputs.items():
        if made.id in used or made.id == lineage.target.id:
            number = made.properties.get("version", made.properties.get("span"))
            told = "" if number is None else f" ({number})"
            lines.append(f"{name}{told}: {made.fingerprint[:_DIGITS]}")
    return lines


def _place(
    layers: Sequence[Sequence[int | Bend]], lineage: Lineage, labels: Mapping[Pair, str]
) -> tuple[dict[int, _Box], dict[Bend, Point], float, float]:
    """Returns boxes, bends (the middles of their layers), width and height of the picture."""
    texts = {number: _describe(step, lineage) for number, step in lineage.steps.items()}
    widths = {
        number: max(
            max(len(line) for line in lines) * _CHARACTER + 2 * _PAD,
            sum(_slot(label) for pair, label in labels.items() if pair[1] == number),
        )
        for number, lines in texts.items()
    }
    spans = [
        sum(_BEND if isinstance(of, Bend) else widths[of] for of in layer)
        + _GAP_ACROSS * (len(layer) - 1)
        for layer in layers
    ]
    boxes: dict[int, _Box] = {}
    bends: dict[Bend, Point] = {}
    y = float(_MARGIN)
    for layer, span in zip(layers, spans, strict=True):
        lines = max(len(texts[of]) for of in layer if not isinstance(of, Bend))
        tall = lines * _LINE + _PAD
        x = _MARGIN + (max(spans) - span) / 2
        for of in layer:
            if isinstance(of, Bend):
                bends[of] = (x + _BEND / 2, y + tall / 2)
                x += _BEND + _GAP_ACROSS
                continue
            high = len(texts[of]) * _LINE + _PAD
            target = of == lineage.maker.execution.id
            fill = _TARGET if target else _FILL if lineage.steps[of].inputs else _DATA
            middle = x + widths[of] / 2
            boxes[of] = _Box(middle, y + (tall - high) / 2, widths[of], high, texts[of], fill)
            x += widths[of] + _GAP_ACROSS
        y += tall + _GAP_DOWN
    return boxes, bends, max(spans) + 2 * _MARGIN, y - _GAP_DOWN + _MARGIN


def _route(
    layers: Sequence[Sequence[int | Bend]],
    boxes: Mapping[int, _Box],
    bends: Mapping[Bend, Point],
    labels: Mapping[Pair, str],
) -> list[tuple[list[Point], str]]:
    """Returns the points of each arrow, with its label."""
    layer_of = {of: depth for depth, layer in enumerate(layers) for of in layer}
    middles: dict[Pair, list[Point]] = {}
    for source, target in labels:
        chain = find_chain(source, target, layer_of[source], layer_of[target])
        middles[source, target] = [bends[of] for of in chain if isinstance(of, Bend)]
    starts: dict[Pair, float] = {}
    ends: dict[Pair, float] = {}
    for number, box in boxes.items():
        # From left to right as they go on, so that arrows of a box do not cross beside it.
        leaving = sorted(
            (pair for pair in labels if pair[0] == number),
            key=lambda pair: middles[pair][0][0] if middles[pair] else boxes[pair[1]].x,
        )
        coming = sorted(
            (pair for pair in labels if pair[1] == number),
            key=lambda pair: middles[pair][-1][0] if middles[pair] else boxes[pair[0]].x,
        )
        for place, pair in enumerate(leaving):
            starts[pair] = box.x + box.width * ((place + 1) / (len(leaving) + 1) - 0.5)
        # Each beside its label.
        x = box.x - sum(_slot(labels[pair]) for pair in coming) / 2
        for pair in coming:
            ends[pair] = x + _PAD
            x += _slot(labels[pair])
    found = []
    for pair, label in labels.items():
        start = (starts[pair], boxes[pair[0]].y + boxes[pair[0]].height)
        found.append(([start, *middles[pair], (ends[pair], boxes[pair[1]].y)], label))
    return found


def _slot(label: str) -> float:
    """Returns how much of an edge an arrow takes, with its label."""
    return len(label) * _SMALL_CHARACTER + 2 * _PAD


def _arrow(points: Sequence[Point], label: str) -> str:
    path = f"M{points[0][0]:.1f},{points[0][1]:.1f}"
    for (x, y), (to_x, to_y) in pairwise(points):
        half = (y + to_y) / 2
        path += f" C{x:.1f},{half:.1f} {to_x:.1f},{half:.1f} {to_x:.1f},{to_y:.1f}"
    x, y = points[-1]
    return (
        f'<path d="{path}" fill="none" stroke="{_EDGE}" stroke-width="1.3" '
        'marker-end="url(#head)"/>\n'
        f'<text x="{x + 5:.1f}" y="{y - 9:.1f}" fill="{_EDGE}" font-size="10" stroke="white" '
        f'stroke-width="3" paint-order="stroke">{escape(label)}</text>'
    )


def _draw_box(box: _Box) -> str:
    left = box.x - box.width / 2
    parts = [
        f'<rect x="{left:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" '
        f'rx="7" fill="{box.fill}" stroke="{_EDGE}"/>'
    ]
    for row, line in enumerate(box.lines):
        weight = ' font-weight="bold"' if row == 0 else ""
        y = box.y + _LINE * (row + 1)
        parts.append(
            f'<text x="{left + _PAD:.1f}" y="{y:.1f}" fill="#1f2937"{weight}>{escape(line)}</text>'
        )
    return "\n".join(parts)
