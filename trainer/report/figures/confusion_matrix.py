"""Which classes are taken for which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from trainer.report.figures.svg import (
    BLUE,
    FOREGROUND,
    GREY,
    ORANGE,
    drawing,
    shorten,
    text_width,
    to_data_uri,
)

MAX_CLASSES = 40
NUM_MOST_CONFUSED = 25


def choose_classes(confusions: Mapping[tuple[str, str], int]) -> list[str]:
    """Returns the classes to draw, sorted so that siblings of a taxonomy are neighbours.

    Args:
        confusions: Rows by (true label, answered label).

    Returns:
        All classes where they are at most `MAX_CLASSES`, otherwise those that
        take part in the most mistakes; none where there are no mistakes then.
    """
    mistakes: dict[str, int] = {}
    for (true, answer), count in confusions.items():
        for name in (true, answer):
            mistakes[name] = mistakes.get(name, 0) + (count if true != answer else 0)
    if len(mistakes) <= MAX_CLASSES:
        return sorted(mistakes)
    confused = sorted(
        (name for name in mistakes if mistakes[name]), key=lambda n: (-mistakes[n], n)
    )
    return sorted(confused[:NUM_MOST_CONFUSED])


def draw_confusion_matrix(confusions: Mapping[tuple[str, str], int], names: Sequence[str]) -> str:
    """Draws the matrix: numbers are rows, colour is the share of the true class.

    Args:
        confusions: Rows by (true label, answered label).
        names: Classes to draw, in order; not none.

    Returns:
        Data URI.
    """
    counts = np.array([[confusions.get((true, answer), 0) for answer in names] for true in names])
    totals = np.array([sum(n for (true, _), n in confusions.items() if true == t) for t in names])
    shares = counts / np.maximum(totals, 1)[:, None]
    colors = np.zeros((*counts.shape, 4))
    colors[..., :3] = np.where(np.eye(len(names))[..., None] > 0, to_rgb(BLUE), to_rgb(ORANGE))
    # A single mistake in a large class must still be seen.
    colors[..., 3] = np.where(counts > 0, 0.15 + 0.85 * shares, 0)

    labels = [shorten(name) for name in names]
    margin = max(text_width(label) for label in labels) + 0.35
    side = len(names) * float(np.clip(6 / len(names), 0.27, 0.6))
    size = margin + side + 0.1
    with drawing():
        figure = Figure(figsize=(size, size))
        axes = figure.add_axes((margin / size, margin / size, side / size, side / size))
        axes.imshow(colors, interpolation="nearest")
        for row, column in zip(*np.nonzero(counts), strict=True):
            strong = colors[row, column, 3] > 0.6
            axes.text(
                column,
                row,
                str(counts[row, column]),
                ha="center",
                va="center",
                color="white" if strong else FOREGROUND,
            )
        places = range(len(names))
        axes.set_xticks(places, labels, rotation=90)
        axes.set_yticks(places, labels)
        axes.set_xticks(np.arange(len(names) - 1) + 0.5, minor=True)
        axes.set_yticks(np.arange(len(names) - 1) + 0.5, minor=True)
        axes.grid(which="minor", color=GREY, lw=0.5)
        axes.tick_params(which="both", length=0)
        axes.set_xlabel("answered")
        axes.set_ylabel("true")
        return to_data_uri(figure)
