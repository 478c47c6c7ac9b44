"""What each block of a network costs when it alone is quantized."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.patches import Patch

from trainer.report.figures.svg import BLUE, ORANGE, drawing, shorten, text_width, to_data_uri

_BAR, _PANEL, _GAP, _TOP, _BOTTOM = 0.21, 3.0, 0.25, 0.45, 0.5


def draw_sensitivity_bars(blocks: Sequence[Mapping[str, Any]]) -> str:
    """Draws two bars for each block: its error, and what it takes in float.

    Args:
        blocks: As in `sensitivity.json`, from top to bottom.

    Returns:
        Data URI.
    """
    names = [shorten(block["name"]) for block in blocks]
    colors = [ORANGE if block["in_float"] else BLUE for block in blocks]
    panels = {
        "error of the logits": [block["logit_error"] for block in blocks],
        "MB more in float": [block["extra_bytes"] / 1e6 for block in blocks],
    }
    margin = max(text_width(name) for name in names) + 0.2
    width = margin + 2 * _PANEL + _GAP + 0.1
    inner = _BAR * len(blocks)
    height = inner + _TOP + _BOTTOM
    with drawing():
        figure = Figure(figsize=(width, height))
        for place, (title, values) in enumerate(panels.items()):
            left = margin + place * (_PANEL + _GAP)
            rectangle = (left / width, _BOTTOM / height, _PANEL / width, inner / height)
            axes = figure.add_axes(rectangle)
            axes.barh(range(len(values)), values, color=colors, height=0.66)
            axes.set_ylim(len(values) - 0.4, -0.6)
            axes.set_yticks(range(len(values)), names if place == 0 else [""] * len(names))
            axes.tick_params(axis="y", length=0)
            axes.set_xlim(left=0)
            axes.grid(axis="x")
            axes.set_xlabel(title)
        if len(set(colors)) == 2:
            handles = [
                Patch(color=BLUE, label="8 bits"),
                Patch(color=ORANGE, label="left in float"),
            ]
            figure.legend(handles=handles, loc="upper right", ncols=2)
        return to_data_uri(figure)
