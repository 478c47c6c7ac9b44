"""Products that leave none far from a labelled one."""

from __future__ import annotations

import numpy as np

from trainer.registry import SELECTIONS
from trainer.selection.candidates import Candidates, squared_distances

_AT_ONCE = 1024


@SELECTIONS.register("core_set")
def select_core_set(candidates: Candidates, budget: int, rng: np.random.Generator) -> np.ndarray:
    """Takes again and again the product that is farthest from all labelled or taken ones.

    Reference:
        Sener and Savarese, 2018, arXiv:1708.00489, the greedy k-centre; its
        mixed integer refinement is left out.
    """
    embeddings = candidates.embeddings
    if len(candidates.labelled):
        starts = range(0, len(embeddings), _AT_ONCE)
        parts = (embeddings[start : start + _AT_ONCE] for start in starts)
        nearest = np.concatenate(
            [squared_distances(part, candidates.labelled).min(axis=1) for part in parts]
        )
    else:
        nearest = squared_distances(embeddings, embeddings.mean(axis=0)[None])[:, 0]
    chosen: list[int] = []
    for _ in range(budget):
        nearest[chosen] = -1.0
        chosen.append(int(nearest.argmax()))
        added = squared_distances(embeddings, embeddings[chosen[-1:]])[:, 0]
        nearest = np.minimum(nearest, added)
    return np.array(chosen)
