"""What can be proved: answers that no picture whatever can turn."""

from __future__ import annotations

import keras
import numpy as np

from trainer.robustness.probe import Bench
from trainer.robustness.subject import Subject

_ROUNDING = 1e-3


def certify_pictures(bench: Bench) -> np.ndarray | None:
    """Says which products are answered rightly whatever picture they are shown with.

    An embedding of length 1 that enters logits linearly moves the difference of
    two of them by at most the length of the difference of their slopes. A
    margin that is larger cannot be turned, by no attack, known or not.

    Args:
        bench: The products.

    Returns:
        Bool `(rows,)`; None where the network is not of this kind: its picture
        encoder does not scale to length 1, its fusion is not linear in it, or
        it reads nothing else.
    """
    subject = bench.subject
    if len(subject.card.inputs) == 1 or subject.picture_branch is None:
        return None
    if not _has_unit_length(subject):
        return None
    arrays = subject.embed_pixels(subject.embed(bench.rows))
    embeddings = arrays[subject.picture_branch.name]
    logits, slopes = subject.slopes(arrays)
    # Linear is what has the same slopes everywhere.
    elsewhere = {**arrays, subject.picture_branch.name: -embeddings[:, ::-1]}
    if not np.allclose(subject.slopes(elsewhere)[1], slopes, rtol=_ROUNDING, atol=_ROUNDING):
        return None
    rows = np.arange(len(logits))
    without = logits - np.einsum("ncd,nd->nc", slopes, embeddings)
    ahead = without[rows, bench.class_ids][:, None] - without
    reach = np.linalg.norm(slopes[rows, bench.class_ids][:, None] - slopes, axis=2)
    holds = ahead > reach + _ROUNDING
    holds[rows, bench.class_ids] = True
    return holds.all(axis=1)


def _has_unit_length(subject: Subject) -> bool:
    last = subject.scorer.get_layer(subject.picture_branch.name).layers[-1]
    return isinstance(last, keras.layers.UnitNormalization)
