"""How often answers of a given confidence are right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from trainer.report.figures.svg import BLUE, GREY, drawing, to_data_uri


def draw_reliability(calibration: Sequence[Mapping[str, Any]]) -> str:
    """Draws accuracy by confidence over the number of rows by confidence.

    Args:
        calibration: Bins as `calibration_bins` returns them.

    Returns:
        Data URI.
    """
    lows = [part["low"] for part in calibration]
    widths = [part["high"] - part["low"] for part in calibration]
    with drawing():
        figure = Figure(figsize=(4.5, 3.8), layout="constrained")
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        accuracies = [part["accuracy"] for part in calibration]
        upper.bar(lows, accuracies, widths, align="edge", color=BLUE, alpha=0.35)
        upper.plot(
            [part["confidence"] for part in calibration],
            accuracies,
            "o-",
            color=BLUE,
            label="measured",
        )
        upper.plot((0, 1), (0, 1), "--", color=GREY, lw=1, label="perfect")
        upper.set_xlim(0, 1)
        upper.set_ylim(0, 1.02)
        upper.set_ylabel("accuracy")
        upper.yaxis.set_major_formatter(PercentFormatter(1))
        upper.grid()
        upper.legend(loc="upper left")
        counts = [part["num_examples"] for part in calibration]
        lower.bar(lows, counts, widths, align="edge", color=GREY)
        lower.set_ylabel("rows")
        lower.set_xlabel("confidence")
        lower.xaxis.set_major_formatter(PercentFormatter(1))
        lower.grid(axis="y")
        return to_data_uri(figure)
