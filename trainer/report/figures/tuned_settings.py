"""What a search found, by each of the settings that it varied."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from trainer.report.figures.svg import BLUE, GREY, ORANGE, drawing, shorten, to_data_uri

_NUM_COLUMNS = 3


def draw_tuned_settings(
    values: Mapping[str, Sequence[Any]],
    on_log_scale: Sequence[str],
    figures: Sequence[float],
    objective: str,
    best: int,
) -> str:
    """Draws a panel for each setting: one point a trial, its value against its figure.

    Args:
        values: By setting, that of each trial; None where a trial has none.
        on_log_scale: Settings whose proportions count.
        figures: Of each trial; the first one was there before the search.
        objective: str. What the figures are.
        best: int. The trial to emphasise.

    Returns:
        Data URI.
    """
    num_rows = math.ceil(len(values) / _NUM_COLUMNS)
    with drawing():
        figure = Figure(figsize=(9.0, 2.3 * num_rows + 0.3), layout="constrained")
        panels = figure.subplots(num_rows, _NUM_COLUMNS, sharey=True, squeeze=False).ravel()
        for panel, (name, column) in zip(panels, values.items(), strict=False):
            _draw_panel(panel, column, figures, best)
            panel.set_xlabel(shorten(name))
            if name in on_log_scale:
                panel.set_xscale("log")
                panel.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
                panel.xaxis.set_major_formatter("{x:g}")
                panel.xaxis.set_minor_formatter(NullFormatter())
        for panel in panels[len(values) :]:
            panel.set_axis_off()
        figure.supylabel(objective, size=9)
        return to_data_uri(figure)


def _draw_panel(panel: Any, column: Sequence[Any], figures: Sequence[float], best: int) -> None:
    texts = list(dict.fromkeys(value for value in column if isinstance(value, str)))
    if texts:
        column = [None if value is None else texts.index(value) for value in column]
        panel.set_xticks(range(len(texts)), [shorten(text, 12) for text in texts])
    points = [point for point in zip(column, figures, strict=True) if point[0] is not None]
    panel.scatter(*zip(*points, strict=True), s=18, color=BLUE, alpha=0.7, lw=0)
    for trial, color in ((0, GREY), (best, ORANGE)):
        if column[trial] is not None:
            panel.scatter(column[trial], figures[trial], s=42, color=color, lw=0, zorder=3)
    panel.grid(axis="y")
