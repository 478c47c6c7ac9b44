"""Any product is as good as another: what the others are measured by."""

from __future__ import annotations

import numpy as np

from trainer.registry import SELECTIONS
from trainer.selection.candidates import Candidates


@SELECTIONS.register("random")
def select_random(candidates: Candidates, budget: int, rng: np.random.Generator) -> np.ndarray:
    """Draws products at random."""
    return rng.choice(len(candidates), budget, replace=False)
