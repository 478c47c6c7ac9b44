"""Which labels of a table are probably wrong: each row judged by networks that have not seen it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import softmax

from trainer.data.splits import fold_rows
from trainer.run import Run
from trainer.sample import Sample
from trainer.teacher import refuse_teacher

COLUMNS = ("id", "label", "suggested_label", "label_quality", "suspicious", "why")

_SUSPICIOUS = 0.4
"""Below this quality, so with another class ahead by more than a fifth, a label is suspicious."""
_SURE = 0.5
"""From here on an input's own answer is worth telling."""


@dataclass(frozen=True)
class Opinions:
    """What networks that have not seen a row say of it, in the order of the table.

    Args:
        scores: float32 array `(rows, num_classes)`, probabilities.
        by_input: The same from each input alone; NaN where a row lacks it.
    """

    scores: np.ndarray
    by_input: dict[str, np.ndarray]


def cross_judge(run: Run, num_folds: int = 5, num_rounds: int = 2) -> Opinions:
    """Trains once a fold and lets each network judge the rows that it has not seen.

    Near-duplicates are in one fold, so that none vouches for the other. The
    networks of a round learn from the rows that the round before did not
    suspect: those of the first have learned the wrong labels of others.

    Args:
        run: A run that was not prepared yet.
        num_folds: int.
        num_rounds: int.
    """
    refuse_teacher(run.config.train.teacher)
    seed = run.config.train.seed
    run.prepare(draw_splits=lambda labels, groups: fold_rows(labels, groups, num_folds, seed))
    trusted = np.ones(len(run.catalogue.ids), bool)
    for _ in range(num_rounds):
        opinions = _judge(run, trusted)
        trusted = label_quality(run.catalogue.class_ids, opinions.scores) >= _SUSPICIOUS
    return opinions


def _judge(run: Run, trusted: np.ndarray) -> Opinions:
    """Judges each fold by a network that has learned from the trusted rows `(rows,)` of others."""
    catalogue = run.catalogue
    shape = (len(catalogue.ids), len(catalogue.class_names))
    scores = np.full(shape, np.nan, np.float32)
    by_input = {spec.name: np.full(shape, np.nan, np.float32) for spec in catalogue.inputs}
    for fold in sorted(set(catalogue.splits.tolist())):
        learned = np.flatnonzero((catalogue.splits != fold) & trusted)
        sample = Sample.of(learned, catalogue.class_ids[learned], catalogue.weights[learned])
        network = run.fit(sample)
        rows = catalogue.rows(fold)
        votes, present = run.vote(network, rows)
        scores[rows] = run.pool(network, votes, rows, present)
        for name, values in by_input.items():
            own = [
                1 + index
                for index, branch in enumerate(network.branches)
                if branch.input.name == name
            ]
            values[rows] = softmax(votes[:, own].mean(axis=1), axis=1)
            values[rows[~present[name]]] = np.nan
    return Opinions(scores, by_input)


def label_quality(class_ids: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Returns `(1 + m) / 2` of each row, `m` the margin of its class over the best other one.

    Args:
        class_ids: `(rows,)`.
        scores: `(rows, num_classes)`, probabilities by networks that have not seen the row.

    Reference:
        Northcutt et al., 2021, "Confident learning", arXiv:1911.00068, and the
        package cleanlab: its normalized margin.
    """
    from cleanlab.rank import get_label_quality_scores

    return get_label_quality_scores(class_ids, scores, method="normalized_margin")


def rank_labels(run: Run, opinions: Opinions) -> pd.DataFrame:
    """Ranks the rows of a table by how likely their label is wrong.

    Args:
        run: The run that `cross_judge` prepared.
        opinions: What it returned.

    Returns:
        `COLUMNS`, most suspicious row first. A `label_quality` below one half
        says that another class is more probable; below 0.4 the row is
        `suspicious`.
    """
    catalogue = run.catalogue
    class_ids = catalogue.class_ids
    quality = label_quality(class_ids, opinions.scores)
    suggested = opinions.scores.argmax(axis=1)
    frame = pd.DataFrame(
        {
            "id": catalogue.ids,
            "label": catalogue.labels,
            "suggested_label": [catalogue.class_names[index] for index in suggested],
            "label_quality": quality,
            "suspicious": quality < _SUSPICIOUS,
            "why": [
                _explain(row, class_ids[row], opinions, catalogue.class_names)
                for row in range(len(class_ids))
            ],
        },
        columns=list(COLUMNS),
    )
    return frame.sort_values("label_quality", kind="stable").reset_index(drop=True)


def _explain(row: int, class_id: int, opinions: Opinions, class_names: list[str]) -> str:
    """Says what each input takes the row for, where that is not its label."""
    clauses = []
    for name, scores in opinions.by_input.items():
        best = int(np.argmax(scores[row])) if not np.isnan(scores[row, 0]) else class_id
        if best != class_id and scores[row, best] >= _SURE:
            clauses.append(
                f"{name} says {class_names[best]} ({scores[row, best]:.2f} against "
                f"{scores[row, class_id]:.2f})"
            )
    return "; ".join(clauses)
