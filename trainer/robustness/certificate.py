"""What can be proved: answers that no picture whatever can turn."""

from __future__ import annotations

import keras
import numpy as np

from trainer.robustness.probe import Bench
from trainer.robustness.subject import Subject

_ROUNDING = 1e-3


def certify_pictures(bench: Bench) -> np.ndarray | None:
    """Says which products are answered rightly whatever picture they are shown with.

    A vote with a reach moves the difference of two logits by no more than that
    (`VotePool`). Beside it, an embedding of length 1 that enters logits linearly
    moves it by at most the length of the difference of their slopes. A margin
    that is larger cannot be turned, by no attack, known or not.

    Args:
        bench: The products.

    Returns:
        Bool `(rows,)`; None where the network is not of this kind: it reads
        nothing else, or the picture enters it otherwise than by a vote with a
        reach, and its encoder does not scale to length 1 or its fusion is not
        linear in it.
    """
    subject = bench.subject
    if len(subject.card.inputs) == 1 or subject.picture_branch is None:
        return None
    # The first vote is that of the fusion.
    own = 1 + subject.branches.index(subject.picture_branch)
    reach = subject.scorer.get_layer("pool").reaches[own]
    silent = None if reach is None else own
    arrays = subject.embed_pixels(subject.embed(bench.rows))
    embeddings = arrays[subject.picture_branch.name]
    logits, slopes = subject.slopes(arrays, silent)
    # Linear is what has the same slopes everywhere.
    elsewhere = {**arrays, subject.picture_branch.name: -embeddings[:, ::-1]}
    same = np.allclose(subject.slopes(elsewhere, silent)[1], slopes, rtol=_ROUNDING, atol=_ROUNDING)
    if not same or (slopes.any() and not _has_unit_length(subject)):
        return None
    rows = np.arange(len(logits))
    without = logits - np.einsum("ncd,nd->nc", slopes, embeddings)
    ahead = without[rows, bench.class_ids][:, None] - without
    moved = np.linalg.norm(slopes[rows, bench.class_ids][:, None] - slopes, axis=2)
    holds = ahead > moved + (reach or 0.0) + _ROUNDING
    holds[rows, bench.class_ids] = True
    return holds.all(axis=1)


def _has_unit_length(subject: Subject) -> bool:
    last = subject.scorer.get_layer(subject.picture_branch.name).layers[-1]
    return isinstance(last, keras.layers.UnitNormalization)
