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
_NAME_STRENGTH = 0.6
_ALPHA = 0.9
"""How far labels reach: the share that a row passes on."""


def spread_labels(
    branches: Sequence[Branch],
    arrays: Mapping[str, StackedRows],
    sample: Sample,
    names: Sample,
    unlabeled: np.ndarray,
    scores: np.ndarray,
) -> Sample:
    """Labels rows by a network's answers, by labelled rows and names that they are like.

    What is alike is said by the embeddings of pictures and texts as they are
    before training; where there are none, the network is believed alone. Each
    of the three errs in its own way, and the product of their shares is wrong
    less often than any of them.

    Args:
        branches: The encoders.
        arrays: See `FeatureStore.arrays`.
        sample: Rows with labels.
        names: Texts of the classes; may be none.
        unlabeled: `(n,)`, rows without labels.
        scores: `(n, num_classes)`, what a network trained on the sample and
            the names answers to them.

    Returns:
        The unlabeled rows with the share of each class as what to answer, and
        the likeliest one as their class.
    """
    known = [of for of in branches if of.encoder.pretrained and of.input.kind in _KINDS]
    shares = scores
    if known:
        seeds = sample + names
        # An input that is absent has no say in who is alike, nor in whose name it is.
        rows = np.concatenate([seeds.rows, unlabeled])
        parts = [
            arrays[of.name][rows] * arrays[present_name(of.input.name)][rows][:, None]
            for of in known
        ]
        flows = seeds.weights[:, None] * np.eye(scores.shape[1])[seeds.class_ids]
        shares = shares * propagate(np.concatenate(parts, axis=1), flows)
        readers = [of for of in known if of.input.kind == "text" and not of.encoder.adapts]
        if readers and len(names):
            there = [arrays[present_name(of.input.name)][unlabeled] for of in readers]
            says = np.all(there, axis=0)
            texts, called = (
                np.concatenate([normalize(arrays[of.name][rows]) for of in readers], axis=1)
                for rows in (unlabeled[says], names.rows)
            )
            if says.any():
                shares[says] *= compare_names(texts, called, names, scores.shape[1])
        shares = normalize(np.maximum(shares, 1e-12), norm="l1")
    return Sample.of(unlabeled, shares.argmax(axis=1), answers=shares)


def compare_names(
    texts: np.ndarray, called: np.ndarray, names: Sample, num_classes: int
) -> np.ndarray:
    """Says how much more a text is like the names of a class than other texts are.

    Args:
        texts: float array `(n, width)`, embeddings.
        called: float array `(names, width)`, of the texts of the classes.
        names: Their classes and weights.
        num_classes: int.

    Returns:
        Float array `(n, num_classes)` above 0: the exponential of the mean
        cosine with the texts of a class, as standard score among all rows. 1
        for classes without texts.
    """
    belongs = np.eye(num_classes)[names.class_ids] * names.weights[:, None]
    totals = belongs.sum(axis=0)
    cosines = normalize(texts) @ normalize(called).T @ (belongs / np.maximum(totals, 1e-12))
    spread = cosines.std(axis=0)
    standard = (cosines - cosines.mean(axis=0)) / np.where(spread > 0, spread, 1)
    return np.exp(_NAME_STRENGTH * np.where(totals > 0, standard, 0))


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
        Iscen et al., 2019, arXiv:1904.04717, equation 11. Here it is for people
        only: as weights it costs accuracy, since sure rows teach little.
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
