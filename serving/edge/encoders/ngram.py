"""Text as weighted n-grams of words and of characters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from serving.edge.encoders.encoder import Encoder, Tensors, Values
from serving.edge.registry import register
from serving.edge.texts.look_alikes import fold_look_alikes
from serving.edge.texts.words import split_words

_MAX_KNOWN_WORDS = 50_000
_Row = tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]


@register("ngram")
class NGramEncoder(Encoder):
    """Finds the terms of a text and weighs them by TF-IDF.

    Its state has `terms` and `idf`, each by `word` and `character`. Terms of
    a row may come in another order than in TensorFlow; the network sums them.
    """

    kind: ClassVar[str] = "text"
    defaults: ClassVar[Mapping[str, Any]] = {
        "word_widths": (1, 2),
        "character_widths": (2, 3, 4, 5),
        "max_characters": 5_000,
        "fold_look_alikes": False,
    }

    def __init__(self, name: str, options: Mapping[str, Any], state: Mapping[str, Any]) -> None:
        super().__init__(name, options, state)
        words, characters = state["terms"]["word"], state["terms"]["character"]
        self._word_ids = {term: index for index, term in enumerate(words)}
        # The network has one vector a term, those of characters after those of words.
        self._character_ids = {term: len(words) + i for i, term in enumerate(characters)}
        idf = [*state["idf"]["word"], *state["idf"]["character"]]
        self._idf = np.array(idf, np.float32)
        self._runs: dict[str, tuple[int, ...]] = {}

    def preprocess(self, values: Values) -> Tensors:
        rows = [self._weigh(text) for text in values]
        shape = (len(rows), max((len(ids) for ids, _ in rows), default=0))
        term_ids, weights = np.zeros(shape, np.int32), np.zeros(shape, np.float32)
        for row, (ids, weight) in enumerate(rows):
            term_ids[row, : len(ids)] = ids
            weights[row, : len(ids)] = weight
        return {f"{self.name}_term_ids": term_ids, f"{self.name}_weights": weights}

    def _weigh(self, text: bytes) -> _Row:
        if self.options["fold_look_alikes"]:
            text = fold_look_alikes(text)
        words = split_words(text, self.options["max_characters"])
        counts = [Counter(self._find_word_terms(words)), Counter(self._find_runs(words))]
        ids, weights = zip(*map(self._tfidf, counts), strict=True)
        # Two unit vectors side by side: halve their squares for length 1.
        return np.concatenate(ids), np.concatenate(weights) * np.float32(np.sqrt(0.5))

    def _tfidf(self, counts: Counter[int]) -> _Row:
        ids = np.fromiter(counts, np.int32, len(counts))
        number = np.fromiter(counts.values(), np.float32, len(counts))
        weights = (np.float32(1) + np.log(number)) * self._idf[ids]
        return ids, weights / np.sqrt(np.sum(np.square(weights)) or np.float32(1))

    def _find_word_terms(self, words: Sequence[str]) -> Iterator[int]:
        for width in self.options["word_widths"]:
            for start in range(len(words) - width + 1):
                term = self._word_ids.get(" ".join(words[start : start + width]))
                if term is not None:
                    yield term

    def _find_runs(self, words: Sequence[str]) -> Iterator[int]:
        """Finds the runs of characters in the words, each word with a space around it."""
        for word in words:
            runs = self._runs.get(word)
            if runs is None:
                if len(self._runs) >= _MAX_KNOWN_WORDS:
                    self._runs.clear()
                runs = self._runs[word] = tuple(self._cut(f" {word} "))
            yield from runs

    def _cut(self, word: str) -> Iterator[int]:
        for width in self.options["character_widths"]:
            for start in range(len(word) - width + 1):
                run = self._character_ids.get(word[start : start + width])
                if run is not None:
                    yield run
