"""The most ordinary product of each kind that has no labelled one yet."""

from __future__ import annotations

import numpy as np
from sklearn.neighbors import NearestNeighbors

from trainer.registry import SELECTIONS
from trainer.selection.candidates import Candidates, find_clusters

_NUM_NEIGHBOURS = 20
_MAX_CLUSTERS = 500


@SELECTIONS.register("typical")
def select_typical(candidates: Candidates, budget: int, rng: np.random.Generator) -> np.ndarray:
    """Clusters all products, and takes the densest one of each cluster without a label.

    There are as many clusters as labels in the end, but at most 500; those with
    the fewest labels come first, and of these the largest.
    Needs no trained classifier, so it is for the first labels.

    Reference:
        Hacohen et al., 2022, "TypiClust", arXiv:2202.02794.
    """
    num_candidates = len(candidates)
    rows = np.concatenate([candidates.embeddings, candidates.labelled])
    num_clusters = min(budget + len(candidates.labelled), _MAX_CLUSTERS, len(rows))
    clusters, _ = find_clusters(rows, num_clusters, rng)
    clusters, covered = clusters[:num_candidates], clusters[num_candidates:]
    sizes = np.bincount(clusters, minlength=num_clusters)
    labels = np.bincount(covered, minlength=num_clusters)
    left: dict[int, list[int]] = {}
    chosen: list[int] = []
    while len(chosen) < min(budget, num_candidates):
        order = np.lexsort([-sizes, labels])
        cluster = int(next(of for of in order if left.get(of, sizes[of])))
        if cluster not in left:
            members = np.flatnonzero(clusters == cluster)
            left[cluster] = members[np.argsort(-_spread(rows[members]), kind="stable")].tolist()
        chosen.append(left[cluster].pop())
        labels[cluster] += 1
    return np.array(chosen, np.int64)


def _spread(rows: np.ndarray) -> np.ndarray:
    """Returns the mean distance of each row to its nearest ones, `(rows,)`."""
    neighbours = NearestNeighbors(n_neighbors=min(_NUM_NEIGHBOURS, len(rows))).fit(rows)
    return neighbours.kneighbors(rows)[0].mean(axis=1)
