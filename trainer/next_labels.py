"""Which products a person should label next."""

from __future__ import annotations

import numpy as np
import pandas as pd

from trainer.data.duplicates import group_near_duplicates
from trainer.data.table import Table
from trainer.data.unlabeled import stack_tables
from trainer.predictor import Predictor
from trainer.registry import SELECTIONS
from trainer.selection.candidates import Candidates

COLUMNS = ("id", "label", "confidence", "margin", "near_duplicates", "status")


def choose_products(
    predictor: Predictor,
    table: Table,
    labelled: Table | None,
    budget: int,
    strategy: str,
    seed: int = 0,
) -> pd.DataFrame:
    """Chooses products whose labels would help a classifier most.

    Of near-duplicates only the first can be chosen, and none that a labelled
    product is like; nor a product with nothing to go by.

    Args:
        predictor: The classifier so far.
        table: Products without labels.
        labelled: Products that have theirs.
        budget: int. How many; fewer are chosen where there are fewer.
        strategy: A registered selection strategy.
        seed: int. Of strategies that draw.

    Returns:
        `COLUMNS`, the most useful product first: `label`, `confidence` and
        `margin` are the classifier's answer, `near_duplicates` the number of
        other rows of the table that are like it.

    Raises:
        ValueError: for an unknown strategy, or if no row can be chosen.
    """
    select = SELECTIONS.get(strategy)
    answers, embeddings = predictor.embed(table)
    known = np.zeros((0, embeddings.shape[1]), np.float32)
    tables = [table]
    if labelled is not None and len(labelled.frame):
        known = predictor.embed(labelled)[1]
        tables.append(labelled)
    inputs = predictor.card.inputs
    groups = group_near_duplicates(stack_tables(tables, inputs), inputs)
    own, others = groups[: len(answers)], groups[len(answers) :]
    firsts = np.unique(own, return_index=True)[1]
    has_evidence = np.any(list(answers.present.values()), axis=0)
    rows = np.sort(firsts[has_evidence[firsts] & ~np.isin(own[firsts], others)])
    if not len(rows):
        raise ValueError(
            f"No product is left to choose from {len(answers)} rows: they have nothing to go by, "
            "or are near-duplicates of labelled ones."
        )
    candidates = Candidates(answers.scores[rows], embeddings[rows], known)
    chosen = select(candidates, min(budget, len(rows)), np.random.default_rng(seed))
    taken = rows[chosen]
    return pd.DataFrame(
        {
            "id": [answers.ids[row] for row in taken],
            "label": [answers.labels[row] for row in taken],
            "confidence": answers.confidence[taken],
            "margin": candidates.margins()[chosen],
            "near_duplicates": np.bincount(own)[own[taken]] - 1,
            "status": [answers.status[row] for row in taken],
        },
        columns=list(COLUMNS),
    )
