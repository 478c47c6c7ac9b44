"""Products that the classifier is least sure of."""

from __future__ import annotations

import numpy as np
from scipy.special import entr

from trainer.registry import SELECTIONS
from trainer.selection.candidates import Candidates


@SELECTIONS.register("margin")
def select_margin(candidates: Candidates, budget: int, rng: np.random.Generator) -> np.ndarray:
    """Takes the products whose two best classes are closest.

    Reference:
        Scheffer et al., 2001, "Active hidden Markov models for information extraction".
    """
    return np.argsort(candidates.margins(), kind="stable")[:budget]


@SELECTIONS.register("entropy")
def select_entropy(candidates: Candidates, budget: int, rng: np.random.Generator) -> np.ndarray:
    """Takes the products whose probabilities have the largest entropy.

    Reference:
        Settles, 2009, "Active learning literature survey".
    """
    return np.argsort(-entr(candidates.scores).sum(axis=1), kind="stable")[:budget]
