"""Measures a model on held-out rows as it answers in use, and blesses it or says why not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from components.blessing import write_blessing
from components.evaluator.answer_split import answer_split
from components.evaluator.component import Parameters
from components.evaluator.judge import (
    find_compared,
    find_reasons,
    find_reasons_of_refit,
    find_reasons_uncompared,
)
from components.evaluator.measured import Measured, find_measured, measure
from components.examples import ExamplesInfo, read_table
from trainer.artefact import ModelCard, find_export
from trainer.data.labels import join_label, read_labels
from trainer.data.table import Table
from trainer.evaluation import evaluate_table
from trainer.files import write_json
from trainer.registry import unknown

BLESSING_FILE = "blessing.json"


def execute(
    inputs: Mapping[str, Path | None],
    outputs: Mapping[str, Path],
    parameters: Parameters,
    scratch: Path,
) -> dict[str, dict[str, Any]]:
    """Writes `metrics.json`, `report.html` and `answers.csv`, and the blessing.

    The blessing is an empty file `BLESSED` or `NOT_BLESSED`; `blessing.json` beside it has
    the figures, and the reasons for people.
    """
    examples, model, baseline = inputs["examples"], inputs["model"], inputs["baseline"]
    assert examples is not None and model is not None
    figures: dict[str, dict[str, Any]] = {}
    if earlier := inputs["earlier_examples"]:
        rows = _read_rows(earlier, model, parameters)
        figures["earlier rows"] = _judge(rows, model, baseline, parameters, scratch)
        del rows  # Pictures are large, and those of the others follow.
    rows = _read_rows(examples, model, parameters)
    figures["rows"] = _judge(rows, model, baseline, parameters, scratch)
    if baseline:
        compared = sum(told["rows_compared"] for told in figures.values())
        reasons = find_reasons_uncompared(compared, parameters)
        figures["comparison"] = {"rows_compared": compared, "reasons": reasons}
    measured = find_measured(model)
    evaluate_table(
        measured,
        rows.table,
        outputs["evaluation"],
        told=f"`{measured.name}`",
        answers=answer_split(measured, examples, rows.split, scratch),
    )
    if measured != model:
        figures["export"] = _judge_export(rows, model, parameters, scratch)
    reasons = [reason for told in figures.values() for reason in told["reasons"]]
    for reason in reasons:
        print(f"Refused: {reason}")
    blessing = outputs["blessing"]
    write_json(blessing / BLESSING_FILE, figures)
    write_blessing(blessing, not reasons)
    return {"blessing": {"blessed": not reasons, "reasons": reasons}}


@dataclass(frozen=True)
class _Rows:
    """Rows of a split, with their labels."""

    examples: Path
    split: str
    table: Table
    labels: list[str]


def _judge(
    rows: _Rows, model: Path, baseline: Path | None, parameters: Parameters, scratch: Path
) -> dict[str, Any]:
    """Returns figures of a model, and of the one in use, on some rows, and reasons to refuse it."""

    def ask(model: Path) -> Measured:
        answers = answer_split(find_measured(model), rows.examples, rows.split, scratch)
        asked = {"robust_products": parameters.robust_products, "seed": parameters.seed}
        return measure(model, answers, rows.table, rows.labels, **asked)

    candidate, current = ask(model), ask(baseline) if baseline else None
    span = ExamplesInfo.read(rows.examples).span
    return {
        "span": span,
        "split": rows.split,
        "reasons": [
            f"Span {span}, {rows.split}: {reason}"
            for reason in find_reasons(candidate, current, rows.labels, parameters)
        ],
        "candidate": _describe(candidate),
        "baseline": current and _describe(current),
        "rows_compared": int(find_compared(candidate, current).sum()) if current else None,
    }


def _judge_export(
    rows: _Rows, model: Path, parameters: Parameters, scratch: Path
) -> dict[str, Any]:
    """Returns figures of what is pushed, which is not what was measured, and reasons to refuse."""

    def ask(folder: Path) -> np.ndarray:
        answers = answer_split(folder, rows.examples, rows.split, scratch)
        return np.array(answers.labels) == np.array(rows.labels)

    refit, measured = ask(model), ask(find_measured(model))
    return {
        "accuracy": float(refit.mean()),
        "reasons": find_reasons_of_refit(refit, measured, rows.labels, parameters),
    }


def _find_split(examples: Path, wanted: str) -> str:
    names = ExamplesInfo.read(examples).split_names
    if wanted in names:
        return wanted
    if wanted == "test" and "eval" in names:
        return "eval"
    raise ValueError(unknown("split to measure on", wanted, names))


def _read_rows(examples: Path, model: Path, parameters: Parameters) -> _Rows:
    split = _find_split(examples, parameters.split)
    table = read_table(examples, [split])
    card = ModelCard.load(find_export(find_measured(model)))
    paths = read_labels(table, list(card.label), card.label_separator or None)
    labels = [join_label(path) for path in paths if path is not None]
    if len(labels) < len(paths):
        raise ValueError(f"The rows of the split {split!r} need labels {list(card.label)}.")
    return _Rows(examples, split, table, labels)


def _describe(measured: Measured) -> dict[str, Any]:
    metrics = measured.metrics
    return {
        "num_examples": metrics["num_examples"],
        "accuracy": metrics["accuracy"],
        "accuracy_interval": metrics["accuracy_interval"],
        "macro_f1": metrics["macro_f1"],
        "expected_calibration_error": metrics["expected_calibration_error"],
        "robust_accuracy": float(measured.robust.mean()) if len(measured.robust) else None,
        "rows_learned_from": int(measured.seen.sum()),
    }
