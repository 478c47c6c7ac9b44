"""How often each row comes in an epoch: as in the table, or evened out over the classes."""

from __future__ import annotations

import numpy as np

from trainer.sample import Sample

SAMPLINGS = {"rows": 1.0, "square_root": 0.5, "balanced": 0.0}
"""By name the power of its rows that the share of a class is proportional to."""


def draw_rates(sample: Sample, sampling: str) -> np.ndarray:
    """Returns how often each row comes in an epoch on average, `(rows,)`, 1 in the mean.

    The rows of a class count by their weights, together at least as one.

    Reference:
        Kang et al., 2020, "Decoupling representation and classifier for
        long-tailed recognition", arXiv:1910.09217, section 4.1.
    """
    counts = np.maximum(np.bincount(sample.class_ids, sample.weights), 1.0)
    rates = counts[sample.class_ids] ** (SAMPLINGS[sampling] - 1.0)
    return rates * len(rates) / rates.sum()


def draw_times(sample: Sample, sampling: str, seed: int, epoch: int) -> np.ndarray:
    """Draws how often each row comes in one epoch.

    Args:
        sample: Rows.
        sampling: One of `SAMPLINGS`.
        seed: int.
        epoch: int. Seed and epoch alone decide the draw.

    Returns:
        `(rows,)` int64, as many times as there are rows in all. A row comes as
        often as its rate, rounded up or down, and so does its class.
    """
    rng = np.random.default_rng([seed, epoch, 1])
    order = rng.permutation(len(sample))
    order = order[np.argsort(sample.class_ids[order], kind="stable")]
    # Marks one apart along the rates of all rows, those of a class side by side.
    ends = np.floor(np.cumsum(draw_rates(sample, sampling)[order]) + rng.random())
    ends[-1] = len(order)  # the sum may be rounded
    times = np.empty(len(order), np.int64)
    times[order] = np.diff(ends, prepend=0)
    return times
