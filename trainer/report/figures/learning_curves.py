"""Loss and accuracy by epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from trainer.report.figures.svg import BLUE, FOREGROUND, GREY, ORANGE, drawing, to_data_uri


def draw_learning_curve(history: Sequence[Mapping[str, Any]], measure: str) -> str:
    """Draws one measure over all epochs, training beside evaluation rows.

    Args:
        history: As in `ReportData`; stages follow each other on one axis.
        measure: `"loss"` or `"accuracy"`.

    Returns:
        Data URI, or `""` where no epoch has the measure.
    """
    steps = list(range(1, len(history) + 1))
    series = {"training": (measure, BLUE, "--"), "evaluation": (f"eval_{measure}", ORANGE, "-")}
    with drawing():
        figure = Figure(figsize=(4.6, 2.9), layout="constrained")
        axes = figure.add_subplot()
        for name, (key, color, line) in series.items():
            points = [
                (step, epoch[key])
                for step, epoch in zip(steps, history, strict=True)
                if epoch.get(key) is not None
            ]
            if points:
                mark = "o" if len(points) <= 30 else None
                axes.plot(
                    *zip(*points, strict=True), line, color=color, marker=mark, ms=3, label=name
                )
        if not axes.lines:
            return ""
        axes.set_title(measure.capitalize())
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(axis="y")
        axes.legend()
        _mark_stages(axes, [str(epoch.get("stage") or "") for epoch in history])
        return to_data_uri(figure)


def _mark_stages(axes: Any, stages: Sequence[str]) -> None:
    starts = [step for step in range(len(stages)) if step == 0 or stages[step] != stages[step - 1]]
    if len(starts) < 2:
        return
    for start in starts:
        if start:
            axes.axvline(start + 0.5, color=GREY, lw=1, ls=":")
        axes.annotate(
            stages[start],
            (start + 0.5 if start else 1, 1),
            xycoords=("data", "axes fraction"),
            xytext=(3, -1),
            textcoords="offset points",
            va="top",
            size=8,
            color=FOREGROUND,
            alpha=0.75,
        )
