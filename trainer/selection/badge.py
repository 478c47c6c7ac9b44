"""Products that would move the last layer far, and each in another direction."""

from __future__ import annotations

import numpy as np

from trainer.registry import SELECTIONS
from trainer.selection.candidates import Candidates


@SELECTIONS.register("badge")
def select_badge(candidates: Candidates, budget: int, rng: np.random.Generator) -> np.ndarray:
    """Draws by k-means++ among the gradients of the last layer.

    The gradient of a product, were the answer to it right, is the outer
    product of `scores - one_hot(answer)` and its embedding. It is never
    written down: products of two such matrices are products of two numbers.

    Reference:
        Ash et al., 2020, arXiv:1906.03671.
    """
    embeddings = candidates.embeddings
    errors = candidates.scores.copy()
    errors[np.arange(len(errors)), errors.argmax(axis=1)] -= 1.0
    norms = np.square(errors).sum(axis=1) * np.square(embeddings).sum(axis=1)

    def distances(to: int) -> np.ndarray:
        products = (errors @ errors[to]) * (embeddings @ embeddings[to])
        return np.maximum(norms + norms[to] - 2 * products, 0.0)

    chosen = [int(norms.argmax())]
    nearest = distances(chosen[0])
    while len(chosen) < budget:
        nearest[chosen] = 0.0
        total = nearest.sum()
        # All that is left is like what was taken: any will do.
        shares = nearest / total if total > 0 else None
        if shares is None:
            rest = np.setdiff1d(np.arange(len(candidates)), chosen)
            return np.array([*chosen, *rng.permutation(rest)[: budget - len(chosen)]])
        chosen.append(int(rng.choice(len(candidates), p=shares)))
        nearest = np.minimum(nearest, distances(chosen[-1]))
    return np.array(chosen)
