"""Writes the page of a search for settings."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from trainer.report.figures.tuned_settings import draw_tuned_settings
from trainer.report.page import render_page, write_page
from trainer.search.space import Choice, Dimension
from trainer.search.trials import OBJECTIVES, Trial, best_trial


def write_tuning_page(
    path: Path,
    *,
    space: Sequence[Dimension],
    trials: Sequence[Trial],
    objective: str,
    measured_on: str,
    next_command: str,
) -> None:
    """Writes `tuning.html`, whole or not at all.

    Args:
        path: File to write.
        space: What was varied.
        trials: In their order. The first one is the configuration as it was,
            with None for a setting that it leaves to a default.
        objective: One of `OBJECTIVES`.
        measured_on: str. A sentence that says which rows were judged, and how.
        next_command: str. What trains and measures the best.
    """
    best = best_trial(trials, objective)
    measured = [trial for trial in trials if not trial.error]
    names = [dimension.name for dimension in space]
    picture = draw_tuned_settings(
        {name: [trial.settings[name] for trial in measured] for name in names},
        [item.name for item in space if not isinstance(item, Choice) and item.log],
        [trial.figures[objective] for trial in measured],
        objective.replace("_", " "),
        measured.index(best),
    )
    page = render_page(
        "tuning.html",
        title=f"Search for the best {objective.replace('_', ' ')}",
        measured_on=measured_on,
        objective=objective,
        objectives=list(OBJECTIVES),
        settings=names,
        trials=trials,
        best=best,
        num_failed=len(trials) - len(measured),
        picture=picture,
        next_command=next_command,
    )
    write_page(path, page)
