"""Writes the report of a classifier."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trainer.overrides import flatten
from trainer.report.figures.confusion_matrix import choose_classes, draw_confusion_matrix
from trainer.report.figures.learning_curves import draw_learning_curve
from trainer.report.figures.reliability import draw_reliability
from trainer.report.figures.study_bars import draw_study_bars
from trainer.report.page import render_page, write_page
from trainer.report.report_data import ReportData
from trainer.report.study_row import StudyRow
from trainer.report.text_filters import count
from trainer.slices import TAIL

MAX_CLASSES_LISTED = 500
"""Rows of the table by class; a taxonomy of 20,000 would not open on a phone."""

_EPOCH_KEYS = ("loss", "eval_loss", "accuracy", "eval_accuracy", "learning_rate", "seconds")


def write_report(path: str | Path, data: ReportData) -> None:
    """Writes `report.html`, whole or not at all.

    Args:
        path: File to write; its folder is made where there is none.
        data: What it shows.
    """
    write_page(Path(path), render_report(data))


def render_report(data: ReportData) -> str:
    """Returns the report as HTML; every text of the table or configuration is escaped in it."""
    metrics = data.metrics
    low, high = metrics["accuracy_interval"]
    num_correct = round(metrics["accuracy"] * metrics["num_examples"])
    drawn = choose_classes(data.confusions)
    sections = _sections(data)
    return render_page(
        "report.html",
        title=data.title,
        data=data,
        max_classes=MAX_CLASSES_LISTED,
        tail=TAIL,
        sections=sections,
        has_data_section="data" in dict(sections),
        num_correct=num_correct,
        num_wrong=metrics["num_examples"] - num_correct,
        half_interval=(high - low) / 2,
        notes=_notes(metrics),
        upper_levels=dict(list(metrics.get("levels", {}).items())[:-1]),
        num_drawn=len(drawn),
        num_confusable=len({name for pair in data.confusions for name in pair}),
        slices={name: parts for name, parts in data.slices.items() if len(parts) > 1},
        whole_slices={
            name: next(iter(parts)) for name, parts in data.slices.items() if len(parts) == 1
        },
        history_keys=[
            key for key in _EPOCH_KEYS if any(epoch.get(key) is not None for epoch in data.history)
        ],
        config=dict(flatten(data.config)),
        pictures={
            "study": data.study and draw_study_bars(data.study, metrics["num_examples"]),
            "confusion": drawn and draw_confusion_matrix(data.confusions, drawn),
            "reliability": draw_reliability(metrics["calibration"]),
            "loss": draw_learning_curve(data.history, "loss"),
            "accuracy": draw_learning_curve(data.history, "accuracy"),
        },
        **_study_gains(data),
    )


def _sections(data: ReportData) -> list[tuple[str, str]]:
    has_data = (
        data.split_sizes
        or data.columns
        or data.columns_left_out
        or data.rows_left_out
        or data.problem_rows
    )
    sections = [
        ("result", "Result", True),
        ("inputs", "Inputs", data.study),
        ("levels", "Levels", data.metrics.get("levels")),
        ("classes", "Classes", True),
        ("confusion", "Confusion", data.confusions),
        ("calibration", "Calibration", True),
        ("slices", "Slices", data.slices),
        ("mistakes", "Worst mistakes", data.mistakes),
        ("augmentation", "Augmentation", data.augmented),
        ("learning", "Learning", data.history),
        ("data", "Data", has_data),
        ("run", "How it was made", data.config or data.timings or data.parameters),
        ("next", "How to go on", data.next_commands),
    ]
    return [(id, name) for id, name, shown in sections if shown]


def _notes(metrics: Mapping[str, Any]) -> list[str]:
    """Returns what a reader must know about the rows behind the figures."""
    notes = []
    if number := metrics.get("num_trained_on"):
        notes.append(
            f"The model has learned from {count(number)} of these rows, with their labels: the "
            "figures say little of new products."
        )
    if number := metrics["num_without_label"]:
        notes.append(f"Left out of the figures, without a label: {count(number)}.")
    if number := metrics["num_with_problems"]:
        notes.append(
            f"Answered from what they have, with a problem such as a broken picture: "
            f"{count(number)}."
        )
    if number := metrics["num_unknown_label"]:
        names = [repr(name) for name in metrics["unknown_labels"]]
        shown = ", ".join(names[:5]) + (" and others" if len(names) > 5 else "")
        notes.append(
            f"Always wrong, with a label that the model does not know ({shown}): {count(number)}."
        )
    return notes


def _study_gains(data: ReportData) -> dict[str, Any]:
    """Compares the row with the most inputs with the best row of one input."""
    slices = {
        value: part["num_examples"] for row in data.study for value, part in row.slices.items()
    }
    singles = [row for row in data.study if len(row.inputs) == 1]
    fused = max(data.study, key=lambda row: len(row.inputs), default=None)
    if fused is None or len(fused.inputs) == 1 or not singles:
        return {"gain": None, "study_slices": slices}
    best = max(singles, key=lambda row: row.accuracy)
    return {
        "study_slices": slices,
        "fused": fused,
        "single": best,
        "gain": fused.accuracy - best.accuracy,
        "gain_f1": fused.macro_f1 - max(row.macro_f1 for row in singles),
        "slice_gains": {value: _slice_gain(fused, singles, value) for value in slices},
    }


def _slice_gain(fused: StudyRow, singles: list[StudyRow], value: str) -> float | None:
    best = [row.slices[value]["accuracy"] for row in singles if value in row.slices]
    if not best or value not in fused.slices:
        return None
    return fused.slices[value]["accuracy"] - max(best)
