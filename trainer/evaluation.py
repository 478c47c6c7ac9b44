"""Figures for a labelled table, from an exported model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from trainer.answers import Answers
from trainer.data.labels import join_label, read_labels
from trainer.data.table import Table
from trainer.evaluate import count_confusions, evaluate_answers, evaluate_slices, worst_rows
from trainer.files import new_file, write_json
from trainer.predictor import Predictor
from trainer.products import Products
from trainer.report.report_data import ReportData
from trainer.report.write_report import write_report
from trainer.slices import default_slices


def evaluate_table(
    model: str | Path,
    table: Table,
    out: Path | None = None,
    label: Sequence[str] = (),
    label_separator: str = "",
    told: str = "",
    answers: Answers | None = None,
) -> dict[str, Any]:
    """Answers a table and compares the answers with its labels.

    Args:
        model: Workdir or exported model.
        table: With the label columns that the model was trained on, or `label`.
        out: Folder for `metrics.json`, `report.html` and `answers.csv`, if wanted.
        label: Label columns; those of the training by default.
        label_separator: As in training by default.
        told: What the report calls the model; its folder by default.
        answers: To the rows of the table, where they are known already.

    Returns:
        The metrics.

    Raises:
        ValueError: if a label column is missing or no row has a label.
    """
    predictor = Predictor(model)
    card = predictor.card
    separator = label_separator or ("" if label else card.label_separator)
    paths = read_labels(table, list(label or card.label), separator or None)
    labels = [None if path is None else join_label(path) for path in paths]
    answers = answers or predictor.answer(table)
    metrics = evaluate_answers(answers, labels, card.level_names)
    has_label = np.array([label is not None for label in labels], bool)
    metrics["num_trained_on"] = int((predictor.was_trained_on(table) & has_label).sum())
    products = Products.read(table, card.inputs, answers.ids)
    slices = default_slices(answers, labels, products.texts, products.prices, {})
    slices.pop("class size", None)  # the training table is not at hand
    metrics["slices"] = evaluate_slices(answers, labels, slices)
    if out is None:
        return metrics
    write_json(out / "metrics.json", metrics)
    with new_file(out / "answers.csv") as temporary:
        answers.to_frame(card.level_names).to_csv(temporary, index=False)
    report = ReportData(
        title=f"Evaluation: {', '.join(label or card.label)}",
        metrics=metrics,
        model=f"Exported model {told or predictor.folder}, as it answers in production.",
        measured_on="rows of the table given",
        slices=metrics["slices"],
        confusions=count_confusions(answers, labels),
        mistakes=[
            products.mistake(row, answers, labels[row] or "") for row in worst_rows(answers, labels)
        ],
        problem_rows=[
            (row_id, status)
            for row_id, status in zip(answers.ids, answers.status, strict=True)
            if status != "ok"
        ],
    )
    write_report(out / "report.html", report)
    return metrics
