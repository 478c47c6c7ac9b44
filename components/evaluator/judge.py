"""Reasons to refuse a model."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.stats import binom

from components.evaluator.component import Parameters
from components.evaluator.measured import Measured
from trainer.evaluate import calibration_bins, expected_calibration_error

_DRAWS = 100


def find_reasons(
    candidate: Measured, baseline: Measured | None, labels: list[str], asked: Parameters
) -> list[str]:
    """Returns why a model is refused, in sentences for people; nothing if it is good enough.

    Args:
        candidate: The model's answers.
        baseline: Those of the model in use to the same rows, if there is one. Rows that it
            has learned from are left out of every comparison.
        labels: Of the rows.
        asked: Thresholds.
    """
    reasons = list(_by_itself(candidate, labels, asked))
    if baseline is not None:
        reasons += _beside(candidate, baseline, np.array(labels), asked)
    return reasons


def find_compared(candidate: Measured, baseline: Measured) -> np.ndarray:
    """Says which rows two models are compared on: what neither has learned from, bool `(rows,)`."""
    return ~(baseline.seen | candidate.seen)


def find_reasons_uncompared(rows: int, asked: Parameters) -> list[str]:
    """Returns why a model is refused where too little is known of it beside the one in use.

    Args:
        rows: int. That they are compared on, of all examples.
        asked: Thresholds.
    """
    if asked.allow_uncompared or rows >= asked.min_examples:
        return []
    return [
        f"{rows} rows are too few to compare it with the model in use, those that neither has "
        f"learned from: min_examples is {asked.min_examples}. Hold out the rows that were held "
        "out from that model (the same data.seed and data.fractions), or rows that are new; or "
        "lower Evaluator.min_examples; or replace the model in use without a comparison, by "
        "Evaluator.allow_uncompared=true."
    ]


def find_reasons_of_refit(
    refit: np.ndarray, measured: np.ndarray, labels: list[str], asked: Parameters
) -> list[str]:
    """Returns why a model that was trained again is refused, whose earlier self was measured.

    It has learned from the rows, and so answers them better, if anything.

    Args:
        refit: bool `(rows,)`, which of its answers are right.
        measured: The same of what was measured.
        labels: Of the rows.
        asked: Thresholds.
    """
    every = np.ones(len(labels), bool)
    return [
        f"Trained again on all rows, the model has got worse. {reason}"
        for reason in _find_losses(refit, measured, every, np.array(labels), asked)
    ]


def chance_of_loss(candidate: np.ndarray, baseline: np.ndarray) -> float:
    """Returns how probable at least such a loss is for models that are equally good.

    Args:
        candidate: bool `(rows,)`, which answers are right.
        baseline: The same of the other model.

    Reference:
        McNemar, 1947, the exact one-sided form: rows that one of both answers right are
        coins.
    """
    lost = int((~candidate & baseline).sum())
    gained = int((candidate & ~baseline).sum())
    return float(binom.sf(lost - 1, lost + gained, 0.5)) if lost + gained else 1.0


def error_by_chance(confidence: np.ndarray) -> float:
    """Returns the mean calibration error of answers that are right as often as they say.

    Few rows make it large: in a bin of one row, confidence 0.8 is 0.2 or 0.8 off.

    Args:
        confidence: float `(rows,)`.
    """
    drawn = np.random.default_rng(0).random((_DRAWS, len(confidence))) < confidence
    errors = [expected_calibration_error(calibration_bins(confidence, right)) for right in drawn]
    return float(np.mean(errors))


def _by_itself(candidate: Measured, labels: list[str], asked: Parameters) -> Iterator[str]:
    metrics = candidate.metrics
    if len(labels) < asked.min_examples:
        yield (
            f"{len(labels)} rows are too few to judge by: min_examples is {asked.min_examples}. "
            "Hold out more, or lower it."
        )
    if metrics["accuracy"] < asked.min_accuracy:
        yield f"The accuracy {metrics['accuracy']:.3f} is below {asked.min_accuracy:.3f}."
    names, counts = np.unique(labels, return_counts=True)
    common = counts.max() / len(labels)
    if len(names) > 1 and metrics["accuracy"] <= common:
        yield (
            f"The accuracy {metrics['accuracy']:.3f} is not above {common:.3f}, that of always "
            f"answering {str(names[counts.argmax()])!r}."
        )
    truth = np.array(labels)
    for name, rows in zip(names.tolist(), counts, strict=True):
        recall = candidate.right[truth == name].mean()
        if rows >= asked.class_rows and recall < asked.min_class_recall:
            yield (
                f"The recall of {name!r} is {recall:.3f} on {rows} rows, below "
                f"{asked.min_class_recall:.3f}."
            )
    error, chance = metrics["expected_calibration_error"], error_by_chance(candidate.confidence)
    if error - chance > asked.max_calibration_error:
        yield (
            f"The calibration error {error:.3f} is more than {asked.max_calibration_error:.3f} "
            f"above {chance:.3f}, which a model that is as sure as it should be has on "
            f"{len(labels)} rows."
        )


def _beside(
    candidate: Measured, baseline: Measured, labels: np.ndarray, asked: Parameters
) -> Iterator[str]:
    new = find_compared(candidate, baseline)
    if not new.any():
        return
    yield from _find_losses(candidate.right, baseline.right, new, labels, asked)
    # One of them may read neither pictures nor texts, and so have no such rows.
    both = min(len(candidate.robust), len(baseline.robust))
    yield from _compare(
        "accuracy on corrupted products",
        candidate.robust[:both],
        baseline.robust[:both],
        new[:both],
        asked.max_robust_loss,
        asked,
    )
    if calibration_rose(candidate, baseline, new, asked):
        error, before = (_calibration_error(one, new) for one in (candidate, baseline))
        yield (
            f"The calibration error rose from {before:.3f} to {error:.3f}, by more than "
            f"{asked.max_calibration_loss:.3f}."
        )


def _find_losses(
    candidate: np.ndarray,
    baseline: np.ndarray,
    rows: np.ndarray,
    labels: np.ndarray,
    asked: Parameters,
) -> Iterator[str]:
    """Yields where accuracy and recalls on some rows fell; see `_compare`."""
    yield from _compare("accuracy", candidate, baseline, rows, asked.max_accuracy_loss, asked)
    names = np.unique(labels[rows]).tolist()
    for name in names:
        own = rows & (labels == name)
        known = baseline[own].mean() >= 0.5
        if known and own.sum() >= asked.class_rows and not candidate[own].any():
            yield (
                f"The class {name!r} is lost: of its {own.sum()} rows none is answered right, and "
                f"{baseline[own].sum()} were."
            )
            continue
        yield from _compare(
            f"recall of {name!r}",
            candidate,
            baseline,
            own,
            asked.max_recall_loss,
            asked,
            among=len(names),
        )


def calibration_rose(
    candidate: Measured, baseline: Measured, rows: np.ndarray, asked: Parameters
) -> bool:
    """Says whether the calibration error on some rows is too much higher, and not by chance.

    Args:
        candidate: A model's answers.
        baseline: Those of the model in use.
        rows: bool `(n,)`, which to compare.
        asked: Thresholds.

    Reference:
        Efron, 1979, the bootstrap, of rows that both have answered.
    """
    places = np.flatnonzero(rows)
    drawn = np.random.default_rng(0).choice(places, (_DRAWS, len(places)))
    rises = [
        _calibration_error(candidate, own) - _calibration_error(baseline, own) for own in drawn
    ]
    return float(np.mean(np.array(rises) <= asked.max_calibration_loss)) <= asked.significance


def _calibration_error(measured: Measured, rows: np.ndarray) -> float:
    bins = calibration_bins(measured.confidence[rows], measured.right[rows])
    return expected_calibration_error(bins)


def _compare(
    what: str,
    candidate: np.ndarray,
    baseline: np.ndarray,
    rows: np.ndarray,
    allowed: float,
    asked: Parameters,
    among: int = 1,
) -> Iterator[str]:
    """Yields a reason where the loss on some rows is too large, and not by chance.

    Args:
        what: What is compared, for people.
        candidate: bool `(n,)`, right answers.
        baseline: The same of the other model.
        rows: bool `(n,)`, which to compare.
        allowed: Loss.
        asked: Thresholds.
        among: int. How many such comparisons are made (Bonferroni).
    """
    own, other = candidate[rows], baseline[rows]
    if not len(own) or other.mean() - own.mean() <= allowed:
        return
    chance = chance_of_loss(own, other)
    if chance <= asked.significance / among:
        yield (
            f"The {what} fell from {other.mean():.3f} to {own.mean():.3f} on {len(own)} rows, by "
            f"more than {allowed:.3f}; by chance with probability {chance:.2g}."
        )
