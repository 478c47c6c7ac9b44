"""Words that an encoder takes for like others."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
from keras import ops

from trainer.robustness.subject import Subject

_SHORTEST = 3
_LIKE = 0.5
_NUM_LISTED = 6


def build_substitutes(subject: Subject) -> Callable[[str], list[str]]:
    """Returns a function from a word to others, the likest first.

    Words are alike where the vectors that a text encoder begins with are: most
    are forms of the same word, synonyms or its kin. Words that it reads in
    several pieces have none; nor has any where no encoder reads pieces.

    Reference:
        Li et al., 2020, "BERT-Attack", arXiv:2004.09984, which asks a masked
        language model; an encoder of sentences has none.
    """
    for branch in subject.branches:
        points = branch.encoder.find_points(subject.scorer.get_layer(branch.name))
        pieces = branch.encoder.get_state().get("vocabulary")
        tokens = [point for point in points if point.name == "tokens"]
        if tokens and pieces:
            return _Neighbours(pieces, ops.convert_to_numpy(tokens[0].place.embeddings)).find
    return lambda word: []


class _Neighbours:
    def __init__(self, pieces: list[str], vectors: np.ndarray) -> None:
        whole = [at for at, of in enumerate(pieces) if of.isalpha() and len(of) >= _SHORTEST]
        vectors = np.asarray(vectors[whole], np.float32)
        self.words = [pieces[at] for at in whole]
        self.vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
        self.places = {word: at for at, word in enumerate(self.words)}
        self.find = functools.cache(self._find)

    def _find(self, word: str) -> list[str]:
        own = self.places.get(word.lower())
        if own is None:
            return []
        likeness = self.vectors @ self.vectors[own]
        order = np.argsort(-likeness)[1 : _NUM_LISTED + 1]
        return [self.words[at] for at in order if likeness[at] >= _LIKE]
