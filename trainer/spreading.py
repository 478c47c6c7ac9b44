"""Labels for rows that have none, spread over a graph of products that are alike."""

from __future__ import annotations

import numpy as np
import scipy.sparse
from scipy.sparse.linalg import cg
from sklearn.neighbors import NearestNeighbors

_NEIGHBORS = 10
# How far a label reaches, and how much closer neighbours count more: as in the paper.
_ALPHA, _GAMMA = 0.99, 3


def spread_labels(
    embeddings: np.ndarray, class_ids: np.ndarray, num_classes: int
) -> tuple[np.ndarray, np.ndarray]:
    """Finds labels for rows from labelled ones that they are like, directly or in a chain.

    Args:
        embeddings: float array `(labelled + unlabeled, width)`, those of
            labelled rows first.
        class_ids: int array `(labelled,)`.
        num_classes: int.

    Returns:
        `(class_ids, weights)`, int `(unlabeled,)` and float `(unlabeled,)`:
        1 where only one class arrives, 0 where all do alike, or none.

    Reference:
        Iscen et al., 2019, "Label propagation for deep semi-supervised
        learning", arXiv:1904.04717, equations 9 to 11; once, on embeddings
        that training does not change.
    """
    seeds = np.zeros((len(embeddings), num_classes))
    seeds[np.arange(len(class_ids)), class_ids] = 1
    spread = scipy.sparse.identity(len(embeddings)) - _ALPHA * build_graph(embeddings)
    reached = np.stack([cg(spread, seed)[0] for seed in seeds.T], axis=1)[len(class_ids) :]
    reached = np.maximum(reached, 0)
    totals = reached.sum(axis=1, keepdims=True)
    shares = np.divide(reached, totals, out=np.full_like(reached, 1 / num_classes), where=totals > 0)
    return shares.argmax(axis=1), certainty(shares)


def certainty(shares: np.ndarray) -> np.ndarray:
    """Returns 1 minus the entropy of each row `(rows, classes)` over the largest possible one."""
    entropy = -np.sum(shares * np.log(np.maximum(shares, 1e-12)), axis=1)
    return np.clip(1 - entropy / np.log(shares.shape[1]), 0, 1)


def build_graph(embeddings: np.ndarray) -> scipy.sparse.csr_matrix:
    """Joins each row to the nearest ones by cosine, `(rows, rows)`, symmetric and normalized."""
    neighbors = min(_NEIGHBORS, len(embeddings) - 1)
    search = NearestNeighbors(n_neighbors=neighbors, metric="cosine").fit(embeddings)
    graph = search.kneighbors_graph(mode="distance")
    graph.data = np.maximum(1 - graph.data, 0) ** _GAMMA
    graph = graph + graph.T
    scale = scipy.sparse.diags(1 / np.sqrt(np.maximum(graph.sum(axis=1).A1, 1e-12)))
    return (scale @ graph @ scale).tocsr()
