"""What a model answers to the rows that it is measured on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from components.shard_answers import describe_model, load_predictor
from trainer.answers import Answers
from trainer.augment import Augmenter
from trainer.data.examples import read_examples, row_ids
from trainer.data.table import Table
from trainer.evaluate import evaluate_answers
from trainer.predictor import Predictor
from trainer.run import MEASURED

_CORRUPTED: Mapping[str, Any] = {"image": {"any_corruption": {}}, "text": {"typo": {}}}
_AT_ONCE = 32


@dataclass(frozen=True)
class Measured:
    """A model's answers to rows with labels.

    Args:
        metrics: See `trainer.evaluate.evaluate_answers`.
        right: bool `(rows,)`, where the answer is the label.
        confidence: float `(rows,)`, of the answers.
        robust: bool `(robust rows,)`, the same of corrupted copies of the first rows; of
            none where the model reads nothing that can be corrupted.
        seen: bool `(rows,)`, rows that the model has learned from.
    """

    metrics: Mapping[str, Any]
    right: np.ndarray
    confidence: np.ndarray
    robust: np.ndarray
    seen: np.ndarray


def find_measured(model: Path) -> Path:
    """Returns what of a model is to be measured: what has not learned from held-out rows."""
    return model / MEASURED if (model / MEASURED).is_dir() else model


def measure(
    model: Path,
    answers: Answers,
    table: Table,
    labels: list[str],
    *,
    robust_products: int,
    seed: int,
) -> Measured:
    """Compares answers with labels, and answers corrupted copies of some rows.

    Args:
        model: Artifact.
        answers: Of it, to the rows.
        table: Rows with a label.
        labels: Of the rows.
        robust_products: How many of the first rows are corrupted too.
        seed: Of the corruptions; the same for all models that are compared.
    """
    predictor = load_predictor(**describe_model(find_measured(model)))
    truth = np.array(labels)
    robust = _answer_corrupted(predictor, table, robust_products, seed)
    return Measured(
        evaluate_answers(answers, labels, predictor.card.level_names),
        np.array(answers.labels) == truth,
        answers.confidence,
        robust == truth[: len(robust)],
        predictor.was_trained_on(table),
    )


def _answer_corrupted(predictor: Predictor, table: Table, number: int, seed: int) -> np.ndarray:
    """Returns the labels of the first rows, `(number or fewer,)`, once they are corrupted."""
    inputs = predictor.card.inputs
    if not number or not any(spec.kind in _CORRUPTED for spec in inputs):
        return np.zeros(0, str)
    part = Table(table.frame.iloc[:number], table.folder)
    corrupt = Augmenter(inputs, _CORRUPTED)
    rows = [
        corrupt(example.values, [seed, at])
        for at, example in enumerate(read_examples(part, inputs, row_ids(part)))
    ]
    labels: list[bytes] = []
    for start in range(0, len(rows), _AT_ONCE):
        outputs = predictor.call(rows[start : start + _AT_ONCE], "serving_default")
        labels += outputs["label"].numpy().tolist()
    return np.array([label.decode() for label in labels])
