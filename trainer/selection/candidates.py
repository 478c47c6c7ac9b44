"""What a selection strategy knows of the products that could be labelled next."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.exceptions import ConvergenceWarning

_MANY_ROWS = 20_000


@dataclass(frozen=True, eq=False)
class Candidates:
    """Unlabelled products as a classifier sees them.

    A strategy is a function `(candidates, budget, rng) -> chosen` that returns
    the positions `(budget,)` of as many different products, the most useful
    first. It is registered with `@SELECTIONS.register(name)`.

    Args:
        scores: `(n, num_classes)`, probabilities.
        embeddings: `(n, dim)`, fused.
        labelled: `(m, dim)`, those of products that have their label already.
    """

    scores: np.ndarray
    embeddings: np.ndarray
    labelled: np.ndarray

    def __len__(self) -> int:
        return len(self.scores)

    def margins(self) -> np.ndarray:
        """Returns by how much the best class is ahead of the next, `(n,)`."""
        best = np.partition(self.scores, -2, axis=1)[:, -2:]
        return best[:, 1] - best[:, 0]


def squared_distances(rows: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Returns squared Euclidean distances `(len(rows), len(others))`."""
    products = rows @ others.T
    norms = np.square(rows).sum(axis=1)[:, None] + np.square(others).sum(axis=1)
    return np.maximum(norms - 2 * products, 0.0)


def find_clusters(
    rows: np.ndarray,
    num_clusters: int,
    rng: np.random.Generator,
    weights: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the cluster of each row `(rows,)` and the centres, by k-means."""
    kind = KMeans if len(rows) <= _MANY_ROWS else MiniBatchKMeans
    means = kind(num_clusters, n_init=1, random_state=int(rng.integers(2**31)))
    with warnings.catch_warnings():
        # Of equal rows there are fewer clusters than asked for.
        warnings.simplefilter("ignore", ConvergenceWarning)
        clusters = means.fit_predict(rows, sample_weight=weights)
    return clusters, means.cluster_centers_
