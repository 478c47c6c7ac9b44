"""Products that leave none far from a labelled one."""

from __future__ import annotations

import numpy as np

from trainer.registry import SELECTIONS
from trainer.selection.candidates import Candidates, squared_distances


@SELECTIONS.register("core_set")
def select_core_set(candidates: Candidates, budget: int, rng: np.random.Generator) -> np.ndarray:
    """Takes again and again the product that is farthest from all labelled or taken ones.

    Reference:
        Sener and Savarese, 2018, arXiv:1708.00489, the greedy k-centre; its
        mixed integer refinement is left out.
    """
    embeddings = candidates.embeddings
    if len(candidates.labelled):
        nearest = squared_distances(embeddings, candidates.labelled).min(axis=1)
    else:
        nearest = squared_distances(embeddings, embeddings.mean(axis=0)[None])[:, 0]
    chosen: list[int] = []
    for _ in range(budget):
        nearest[chosen] = -1.0
        chosen.append(int(nearest.argmax()))
        added = squared_distances(embeddings, embeddings[chosen[-1:]])[:, 0]
        nearest = np.minimum(nearest, added)
    return np.array(chosen)
