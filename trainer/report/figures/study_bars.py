"""Accuracy by inputs used."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from trainer.evaluate import wilson_interval
from trainer.report.figures.svg import (
    BLUE,
    FOREGROUND,
    GREY,
    drawing,
    shorten,
    text_width,
    to_data_uri,
)
from trainer.report.study_row import StudyRow


def draw_study_bars(study: Sequence[StudyRow], num_examples: int) -> str:
    """Draws a bar of accuracy for each row, with its 95 % interval.

    Args:
        study: Rows from top to bottom; those with the most inputs are emphasised.
        num_examples: int. Rows behind each accuracy.

    Returns:
        Data URI.
    """
    names = [shorten(" + ".join(row.inputs)) for row in study]
    most = max(len(row.inputs) for row in study)
    places = range(len(study))
    values = [row.accuracy for row in study]
    margin = max(text_width(name) for name in names) + 0.2
    width, height = margin + 3.6, 0.34 * len(study) + 0.65
    with drawing():
        figure = Figure(figsize=(width, height))
        axes = figure.add_axes((margin / width, 0.45 / height, 3.0 / width, 1 - 0.55 / height))
        colors = [BLUE if len(row.inputs) == most else GREY for row in study]
        axes.barh(places, values, color=colors, height=0.62)
        for place, value in enumerate(values):
            low, high = wilson_interval(value * num_examples, num_examples)
            axes.plot((low, high), (place, place), color=FOREGROUND, lw=1.2)
            axes.annotate(
                f"{value:.1%}",
                (high, place),
                xytext=(5, 0),
                textcoords="offset points",
                va="center",
                annotation_clip=False,
            )
        axes.set_xlim(0, 1)
        axes.set_yticks(places, names)
        axes.tick_params(axis="y", length=0)
        axes.invert_yaxis()
        axes.xaxis.set_major_formatter(PercentFormatter(1))
        axes.grid(axis="x")
        axes.set_xlabel("accuracy")
        return to_data_uri(figure)
