"""Accuracy against the strength of what is done to products."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from trainer.report.figures.svg import GREY, drawing, to_data_uri

_NUM_COLUMNS = 2
_HEIGHT, _WIDTH = 2.9, 4.5


def draw_strength_curves(
    panels: Mapping[str, Mapping[str, Sequence[tuple[str, float]]]], clean: float
) -> str:
    """Draws a panel for each kind of change, and a line in it for each change.

    Args:
        panels: By title and name, `(strength, accuracy)` from weak to strong.
        clean: float. Accuracy where nothing is changed, the dashed line.

    Returns:
        Data URI.
    """
    with drawing():
        num_rows = math.ceil(len(panels) / _NUM_COLUMNS)
        size = (_WIDTH * _NUM_COLUMNS, _HEIGHT * num_rows)
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.subplots(num_rows, _NUM_COLUMNS, sharey=True, squeeze=False).ravel()
        for panel, (title, lines) in zip(axes, panels.items(), strict=False):
            for name, points in lines.items():
                strengths, accuracies = zip(*points, strict=True)
                panel.plot(strengths, accuracies, "o-", ms=4, label=name)
            panel.axhline(clean, color=GREY, lw=1, ls="--")
            panel.set_title(title)
            panel.set_ylim(0, 1.02)
            panel.yaxis.set_major_formatter(PercentFormatter(1))
            panel.grid(axis="y")
            if len(lines) > 1:
                panel.legend(fontsize=7, ncols=2, loc="lower left")
        for panel in axes[len(panels) :]:
            panel.set_axis_off()
        figure.supylabel("accuracy", size=9)
        return to_data_uri(figure)
