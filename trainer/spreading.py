"""Labels for rows that have none, spread from rows that they are like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.sparse import csr_matrix, diags, identity
from scipy.sparse.linalg import cg
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import normalize

from trainer.features import StackedRows
from trainer.preprocessing import Branch, present_name
from trainer.sample import Sample

# Cosines are raised to this power, so that the nearest of the neighbours count most.
_GAMMA = 3
# Products of one price need not be alike.
_KINDS = ("image", "text")
_NUM_NEIGHBORS = 20
_ALPHA = 0.9
"""How far labels reach: the share that a row passes on."""


def spread_labels(
    branches: Sequence[Branch],
    arrays: Mapping[str, StackedRows],
    sample: Sample,
    unlabeled: np.ndarray,
    scores: np.ndarray,
) -> Sample:
    """Labels rows by a network's answers, and by labelled rows that they are like.

    What is alike is said by the embeddings of pictures and texts as they are
    before training; where there are none, the network is believed alone. The
    network is the better the more labels there are, and the graph of products
    that are alike adds most where these are few.

    Args:
        branches: The encoders.
        arrays: See `FeatureStore.arrays`.
        sample: Rows with labels.
        unlabeled: `(n,)`, rows without.
        scores: `(n, num_classes)`, what a network trained on the sample
            answers to them.

    Returns:
        The unlabeled rows as what is likeliest, weighted by how sure that is.
    """
    known = [of for of in branches if of.encoder.pretrained and of.input.kind in _KINDS]
    shares = scores
    if known:
        rows = np.concatenate([sample.rows, unlabeled])
        # An input that is absent has no say in who is alike.
        parts = [
            arrays[of.name][rows] * arrays[present_name(of.input.name)][rows][:, None]
            for of in known
        ]
        seeds = sample.weights[:, None] * np.eye(scores.shape[1])[sample.class_ids]
        alike = propagate(np.concatenate(parts, axis=1), seeds)
        shares = normalize(np.maximum(scores * alike, 1e-12), norm="l1")
    return Sample.of(unlabeled, shares.argmax(axis=1), certainty(shares))


def propagate(embeddings: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """Lets labels flow over the graph of nearest neighbours.

    Args:
        embeddings: float array `(labelled + unlabeled, width)`, those of the
            labelled rows first.
        seeds: float array `(labelled, num_classes)`, how much of each class
            flows from a row.

    Returns:
        float64 array `(unlabeled, num_classes)`: of what reaches a row the
        share of each class, or equal shares where nothing does.

    Reference:
        Iscen et al., 2019, "Label propagation for deep semi-supervised
        learning", arXiv:1904.04717, equations 9 and 10, once, on embeddings
        that training does not change; then class mass normalization (Zhu et
        al., 2003, "Semi-supervised learning using Gaussian fields and harmonic
        functions"): in sum each class is as frequent as among the labels.
    """
    num_labelled, num_classes = seeds.shape
    sources = np.zeros((len(embeddings), num_classes))
    sources[:num_labelled] = seeds
    system = identity(len(embeddings), format="csr") - _ALPHA * build_graph(embeddings)
    flows = np.stack([cg(system, source, rtol=1e-6)[0] for source in sources.T], axis=1)
    # The solution has no negative values but those of rounding.
    flows = np.maximum(flows[num_labelled:], 0)
    masses = flows.sum(axis=0)
    flows *= np.divide(seeds.sum(axis=0), masses, out=np.zeros(num_classes), where=masses > 0)
    totals = flows.sum(axis=1, keepdims=True)
    return np.divide(flows, totals, out=np.full_like(flows, 1 / num_classes), where=totals > 0)


def certainty(shares: np.ndarray) -> np.ndarray:
    """Returns 1 for rows of one class only, 0 for equal shares: `(rows,)`.

    Args:
        shares: float array `(rows, num_classes)`.

    Reference:
        Iscen et al., 2019, arXiv:1904.04717, equation 11.
    """
    entropy = -np.sum(shares * np.log(np.maximum(shares, 1e-12)), axis=1)
    return np.clip(1 - entropy / np.log(shares.shape[1]), 0, 1)


def build_graph(embeddings: np.ndarray) -> csr_matrix:
    """Joins rows to their nearest ones, `(rows, rows)`, symmetric, with normalized degrees."""
    search = NearestNeighbors(n_neighbors=min(_NUM_NEIGHBORS, len(embeddings) - 1), metric="cosine")
    graph = search.fit(embeddings).kneighbors_graph(mode="distance")
    graph.data = np.maximum(1 - graph.data, 0) ** _GAMMA
    graph = csr_matrix(graph + graph.T)
    degrees = np.asarray(graph.sum(axis=1)).ravel()
    scale = diags(1 / np.sqrt(np.where(degrees > 0, degrees, 1)))
    return csr_matrix(scale @ graph @ scale)
