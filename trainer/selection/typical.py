"""The most ordinary product of each kind that has no labelled one yet."""

from __future__ import annotations

import numpy as np

from trainer.registry import SELECTIONS
from trainer.selection.candidates import Candidates, find_clusters, squared_distances

_NUM_NEIGHBOURS = 20


@SELECTIONS.register("typical")
def select_typical(candidates: Candidates, budget: int, rng: np.random.Generator) -> np.ndarray:
    """Clusters all products, and takes the densest one of each cluster without a label.

    There are as many clusters as labels in the end; the largest come first.
    Needs no trained classifier, so it is for the first labels.

    Reference:
        Hacohen et al., 2022, "TypiClust", arXiv:2202.02794.
    """
    num_candidates = len(candidates)
    rows = np.concatenate([candidates.embeddings, candidates.labelled])
    num_clusters = min(budget + len(candidates.labelled), len(rows))
    clusters, _ = find_clusters(rows, num_clusters, rng)
    clusters, covered = clusters[:num_candidates], clusters[num_candidates:]
    sizes = np.bincount(clusters, minlength=num_clusters)
    sizes[covered] = 0
    chosen: list[int] = []
    for cluster in np.argsort(-sizes, kind="stable"):
        members = np.flatnonzero(clusters == cluster)
        if len(chosen) == budget or not sizes[cluster]:
            break
        distances = np.sqrt(squared_distances(rows[members], rows[members]))
        neighbours = min(_NUM_NEIGHBOURS, len(members))
        spread = np.partition(distances, neighbours - 1, axis=1)[:, :neighbours].mean(axis=1)
        chosen.append(int(members[spread.argmin()]))
    rest = np.setdiff1d(np.arange(num_candidates), chosen)
    return np.array([*chosen, *rng.permutation(rest)[: budget - len(chosen)]], np.int64)
