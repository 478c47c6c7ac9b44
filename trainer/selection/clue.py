"""Products in the middle of what the classifier is not sure of."""

from __future__ import annotations

import numpy as np

from trainer.registry import SELECTIONS
from trainer.selection.candidates import Candidates, find_clusters, squared_distances


@SELECTIONS.register("clue")
def select_clue(candidates: Candidates, budget: int, rng: np.random.Generator) -> np.ndarray:
    """Clusters the products, weighted by how unsure they are; takes the nearest to each centre.

    Unsure and typical at once: good from the first label on. The heaviest
    clusters come first.

    Reference:
        Prabhu et al., 2021, arXiv:2010.08666, which weighs by the entropy;
        here by what the margin leaves to 1.
    """
    embeddings = candidates.embeddings
    weights = np.maximum(1.0 - candidates.margins(), 1e-6)
    clusters, centres = find_clusters(embeddings, budget, rng, weights)
    heaviness = np.bincount(clusters, weights, minlength=budget)
    chosen: list[int] = []
    for cluster in np.argsort(-heaviness, kind="stable"):
        members = np.flatnonzero(clusters == cluster)
        if len(members):
            distances = squared_distances(embeddings[members], centres[cluster][None])[:, 0]
            chosen.append(int(members[distances.argmin()]))
    rest = np.setdiff1d(np.arange(len(candidates)), chosen)
    return np.array([*chosen, *rng.permutation(rest)[: budget - len(chosen)]], np.int64)
