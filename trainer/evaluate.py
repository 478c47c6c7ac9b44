"""How good a classifier's answers are: the figures of `metrics.json`."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.metrics import precision_recall_fscore_support

from trainer.answers import OK, Answers
from trainer.data.labels import join_label, split_label
from trainer.slices import TAIL

SURE = 0.8
"""How probable a level must be for the answers that stop where they are not sure."""
NUM_LISTED = 20
"""How many confused pairs and unknown labels `metrics.json` lists."""


def evaluate_answers(
    answers: Answers, true_labels: Sequence[str | None], level_names: Sequence[str] = ()
) -> dict[str, Any]:
    """Compares answers with the truth.

    Rows without a label are counted and left out. A label that the model does
    not know is wrong whatever the model says, and has probability 0. F1,
    precision and recall are averaged over the classes that occur in the truth
    or in the answers, as scikit-learn does.

    Args:
        answers: What the model said.
        true_labels: One label a row, a path joined by `" > "`; None or `""`
            where there is none.
        level_names: Names of the levels from the top down; with two or more
            of them each level gets its own figures.

    Returns:
        What JSON can hold: `num_examples`, `accuracy`, `accuracy_interval`
        (Wilson, 95 %), `macro_*`, `weighted_*`, `per_class`, `log_loss`,
        `expected_calibration_error`, `calibration` (bins), `confused_pairs`,
        the counts `num_without_label`, `num_with_problems`,
        `num_unknown_label`, and `levels`.

        With levels also `hierarchical` (see `hierarchical_agreement`), and
        `backed_off`, the same for answers that stop where they are not sure.

    Raises:
        ValueError: where no row has a label.
    """
    kept, truth = _labelled(answers, true_labels)
    predicted = kept.labels
    correct = np.array([t == p for t, p in zip(truth, predicted, strict=True)])
    bins = calibration_bins(kept.confidence, correct)
    known = set(kept.class_names)
    unknown = Counter(label for label in truth if label not in known)
    pairs = count_confusions(answers, true_labels)
    metrics: dict[str, Any] = {
        "num_examples": len(truth),
        "num_classes": len(kept.class_names),
        "num_without_label": len(answers) - len(truth),
        "num_with_problems": sum(status != OK for status in kept.status),
        "num_unknown_label": sum(unknown.values()),
        "unknown_labels": dict(unknown.most_common(NUM_LISTED)),
        **_agreement(truth, predicted),
        "log_loss": _log_loss(kept, truth),
        "expected_calibration_error": expected_calibration_error(bins),
        "calibration": bins,
        "confused_pairs": [
            {"true": true, "predicted": answer, "count": count}
            for (true, answer), count in pairs.most_common()
            if true != answer
        ][:NUM_LISTED],
    }
    if len(level_names) > 1:
        metrics["levels"] = {
            name: _agreement(_prefixes(truth, depth), _prefixes(predicted, depth))
            for depth, name in enumerate(level_names, start=1)
        }
        metrics["hierarchical"] = hierarchical_agreement(truth, predicted)
        sure = kept.sure_labels(SURE)
        metrics["backed_off"] = {
            "min_confidence": SURE,
            **hierarchical_agreement(truth, sure),
            "rows_by_depth": np.bincount([len(path_nodes(name)) for name in sure]).tolist(),
        }
    return metrics


def evaluate_tail(
    per_class: Mapping[str, Mapping[str, Any]], train_class_counts: Mapping[str, int]
) -> dict[str, dict[str, Any]]:
    """Evaluates rare classes and the others apart.

    Args:
        per_class: What `evaluate_answers` says of each class.
        train_class_counts: Training rows by label.

    Returns:
        For `tail`, the classes of at most `TAIL` training rows, and `head`,
        the others: `num_classes`, `num_examples`, `accuracy`, `macro_f1`. A
        part without rows is left out.
    """
    parts: dict[str, list[Mapping[str, Any]]] = {"tail": [], "head": []}
    for name, figures in per_class.items():
        parts["tail" if train_class_counts.get(name, 0) <= TAIL else "head"].append(figures)
    results = {}
    for part, classes in parts.items():
        if num_examples := sum(of["support"] for of in classes):
            results[part] = {
                "num_classes": len(classes),
                "num_examples": num_examples,
                "accuracy": sum(of["recall"] * of["support"] for of in classes) / num_examples,
                "macro_f1": sum(of["f1"] for of in classes) / len(classes),
            }
    return results


def hierarchical_agreement(truth: Sequence[str], answers: Sequence[str]) -> dict[str, float]:
    """Counts a node of the taxonomy as right wherever the truth is at it or below.

    Args:
        truth: Paths joined by `" > "`.
        answers: Paths, upper parts of paths, or `""`.

    Returns:
        `precision` (the share of the nodes answered that are right), `recall`
        (the share of the true nodes that are answered) and `f1`, over all
        rows together.

    Reference:
        Kiritchenko et al., 2005, "Functional annotation of genes using
        hierarchical text categorization".
    """
    shared = answered = true = 0
    for label, answer in zip(truth, answers, strict=True):
        label_nodes, answer_nodes = path_nodes(label), path_nodes(answer)
        shared += len(label_nodes & answer_nodes)
        answered += len(answer_nodes)
        true += len(label_nodes)
    return {
        "precision": shared / answered if answered else 0.0,
        "recall": shared / true if true else 0.0,
        "f1": 2 * shared / (answered + true) if answered + true else 0.0,
    }


def path_nodes(label: str) -> set[tuple[str, ...]]:
    """Returns all nodes of the taxonomy from the top down to a label, as paths."""
    path = split_label(label) if label else ()
    return {path[:depth] for depth in range(1, len(path) + 1)}


def evaluate_slices(
    answers: Answers, true_labels: Sequence[str | None], slices: Mapping[str, Sequence[str]]
) -> dict[str, dict[str, dict[str, Any]]]:
    """Evaluates parts of the rows apart.

    Args:
        answers: What the model said.
        true_labels: As for `evaluate_answers`.
        slices: By name of the slicing, the value of each row, such as
            `{"language": ["Chinese", "other", ...]}`.

    Returns:
        By slicing and value (sorted): `num_examples`, `accuracy`,
        `accuracy_interval`, `macro_f1`. Values without labelled rows are left
        out. Here F1 is averaged over the true classes of the slice: every
        class outside it that is answered once would count as a zero.
    """
    truth, predicted = _clean(true_labels, answers), answers.labels
    results: dict[str, dict[str, dict[str, Any]]] = {}
    for name, values in slices.items():
        if len(values) != len(answers):
            raise ValueError(
                f"A slicing must have one value a row. Expected {len(answers)} values of "
                f"{name!r}. Received: {len(values)}."
            )
        rows_by_value: dict[str, list[int]] = {}
        for row, value in enumerate(values):
            if truth[row] is not None:
                rows_by_value.setdefault(value, []).append(row)
        results[name] = {}
        for value, rows in sorted(rows_by_value.items()):
            true = [label for row in rows if (label := truth[row])]
            figures = _agreement(true, [predicted[row] for row in rows], sorted(set(true)))
            results[name][value] = {
                "num_examples": len(rows),
                **{key: figures[key] for key in ("accuracy", "accuracy_interval", "macro_f1")},
            }
    return results


def count_confusions(
    answers: Answers, true_labels: Sequence[str | None]
) -> Counter[tuple[str, str]]:
    """Counts the pairs (true label, answered label), right ones included."""
    pairs = zip(_clean(true_labels, answers), answers.labels, strict=True)
    return Counter((true, answer) for true, answer in pairs if true is not None)


def worst_rows(answers: Answers, true_labels: Sequence[str | None], limit: int = 24) -> list[int]:
    """Returns the wrong answers' rows, the most confident first, at most `limit`."""
    pairs = enumerate(zip(_clean(true_labels, answers), answers.labels, strict=True))
    wrong = [row for row, (true, answer) in pairs if true is not None and true != answer]
    confidence = answers.confidence
    return sorted(wrong, key=lambda row: -confidence[row])[:limit]


def wilson_interval(num_correct: float, num_examples: int) -> tuple[float, float]:
    """Returns the 95 % interval of a share, honest for few rows and shares near 1.

    Reference:
        Wilson, 1927, JASA 22(158).
    """
    z = 1.959964
    share = num_correct / num_examples
    scale = 1 + z**2 / num_examples
    middle = (share + z**2 / (2 * num_examples)) / scale
    variance = share * (1 - share) / num_examples + z**2 / (4 * num_examples**2)
    half = z * math.sqrt(variance) / scale
    return max(0.0, middle - half), min(1.0, middle + half)


def calibration_bins(
    confidence: np.ndarray, correct: np.ndarray, num_bins: int = 15
) -> list[dict[str, Any]]:
    """Sorts answers into equal ranges of confidence.

    Args:
        confidence: float array `(rows,)` in [0, 1].
        correct: bool array `(rows,)`.
        num_bins: int. Bin m holds the confidences in `((m-1)/num_bins, m/num_bins]`.

    Returns:
        For each bin with rows: its bounds `low` and `high`, `num_examples`,
        mean `confidence`, and `accuracy`.
    """
    bins = np.clip(np.ceil(confidence.astype(float) * num_bins).astype(int) - 1, 0, num_bins - 1)
    return [
        {
            "low": index / num_bins,
            "high": (index + 1) / num_bins,
            "num_examples": int(np.sum(bins == index)),
            "confidence": float(np.mean(confidence[bins == index], dtype=float)),
            "accuracy": float(np.mean(correct[bins == index])),
        }
        for index in np.unique(bins).tolist()
    ]


def expected_calibration_error(bins: Sequence[Mapping[str, Any]]) -> float:
    """Returns the mean gap between confidence and accuracy, bins weighted by their rows.

    Reference:
        Guo et al., 2017, arXiv:1706.04599.
    """
    total = sum(part["num_examples"] for part in bins)
    gaps = (part["num_examples"] * abs(part["accuracy"] - part["confidence"]) for part in bins)
    return sum(gaps) / total


def _clean(true_labels: Sequence[str | None], answers: Answers) -> list[str | None]:
    if len(true_labels) != len(answers):
        raise ValueError(
            f"`true_labels` must have one value for each of {len(answers)} rows. "
            f"Received: {len(true_labels)} values."
        )
    return [label or None for label in true_labels]


def _labelled(answers: Answers, true_labels: Sequence[str | None]) -> tuple[Answers, list[str]]:
    labels = _clean(true_labels, answers)
    rows = [row for row, label in enumerate(labels) if label is not None]
    if not rows:
        raise ValueError(
            "Evaluation needs at least one row with a label. "
            f"Received: {len(answers)} rows, {len(answers)} of them without one. "
            "Check the label columns of the table."
        )
    return answers.take(rows), [label for label in labels if label is not None]


def _prefixes(labels: Sequence[str], depth: int) -> list[str]:
    return [join_label(split_label(label)[:depth]) for label in labels]


def _agreement(
    truth: Sequence[str], predicted: Sequence[str], names: Sequence[str] = ()
) -> dict[str, Any]:
    """Returns the figures that need labels alone, over `names` or all that occur."""
    names = names or sorted({*truth, *predicted})
    num_correct = sum(t == p for t, p in zip(truth, predicted, strict=True))
    columns = precision_recall_fscore_support(truth, predicted, labels=names, zero_division=0)
    measures = dict(zip(("precision", "recall", "f1"), columns, strict=False))
    support = columns[3]
    return {
        "accuracy": num_correct / len(truth),
        "accuracy_interval": list(wilson_interval(num_correct, len(truth))),
        **{f"macro_{key}": float(np.mean(value)) for key, value in measures.items()},
        **{
            f"weighted_{key}": float(np.average(value, weights=support))
            for key, value in measures.items()
        },
        "per_class": {
            name: {
                **{key: float(value[index]) for key, value in measures.items()},
                "support": int(support[index]),
            }
            for index, name in enumerate(names)
        },
    }


def _log_loss(answers: Answers, truth: Sequence[str]) -> float:
    column = {name: index for index, name in enumerate(answers.class_names)}
    likelihood = [
        float(answers.scores[row, column[label]]) if label in column else 0.0
        for row, label in enumerate(truth)
    ]
    # Keras' clip value: one unknown label must not make the mean infinite.
    return float(-np.mean(np.log(np.clip(likelihood, 1e-7, 1.0))))
