"""N-grams: TF-IDF of words and characters, in a few hundred dimensions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import keras
import numpy as np
import scipy.sparse
import tensorflow as tf

from trainer.encoders.encoder import Encoder
from trainer.layers import ngram_ops
from trainer.layers.text_ops import fold_look_alikes
from trainer.layers.weighted_bag import WeightedBag
from trainer.layers.word_ops import Words, sum_words
from trainer.registry import ENCODERS

_BATCH = 256
# Up to here the eigenvectors of the Gram matrix are exact and take seconds.
_MAX_GRAM_ROWS = 2_000


@ENCODERS.register("ngram")
class NGramEncoder(Encoder):
    """Embeds a text by the words and the character runs that it shares with training texts.

    On a few hundred products this beats a frozen transformer, and it reads
    Chinese, codes and misspellings that a transformer's vocabulary lacks. With
    at least as many dimensions as training rows, dot products of embeddings
    are those of the TF-IDF vectors, so a linear head is a linear model on
    TF-IDF.

    Args:
        name: str.
        tuning, tuning_options: As for every encoder.
        dim: int. At most so many dimensions are kept.
        word_widths: How many words make an n-gram.
        character_widths: How many characters make an n-gram.
        max_terms: int. At most so many word n-grams and so many character
            n-grams are kept, the most frequent ones.
        min_rows: int. Terms of fewer training rows are not kept.
        max_rows: int. Vocabulary and directions are learned from so many rows.
        max_characters: int. The text is read up to here.
        fold_look_alikes: bool. Reads letters as they look, see `fold_look_alikes`.

    Reference:
        Deerwester et al., 1990, "Indexing by latent semantic analysis", on
        words and characters, each scaled to equal length.
    """

    modality = "text"
    adapts = True
    parts: ClassVar[Mapping[str, str]] = {"weights": ".*"}

    def __init__(
        self,
        name: str,
        tuning: str = "frozen",
        tuning_options: Mapping[str, Any] | None = None,
        dim: int = 512,
        word_widths: Sequence[int] = (1, 2),
        character_widths: Sequence[int] = (2, 3, 4, 5),
        max_terms: int = 30_000,
        min_rows: int = 2,
        max_rows: int = 20_000,
        max_characters: int = 5_000,
        fold_look_alikes: bool = False,
    ) -> None:
        super().__init__(name, tuning, tuning_options)
        self.dim = dim
        self.widths = {"word": tuple(word_widths), "character": tuple(character_widths)}
        self.max_terms = max_terms
        self.min_rows = min_rows
        self.max_rows = max_rows
        self.max_characters = max_characters
        self.fold_look_alikes = fold_look_alikes
        self._terms: dict[str, list[str]] = {"word": [""], "character": [""]}
        self._idf: dict[str, list[float]] = {"word": [1.0], "character": [1.0]}
        self._tables: dict[str, tf.lookup.StaticHashTable] = {}
        self._vectors = np.zeros((2, 1), np.float32)

    def adapt(self, values: np.ndarray) -> None:
        step = -(-len(values) // self.max_rows) or 1
        batches = _batches(values[::step])
        num_rows = sum(map(len, batches))
        row_counts: dict[str, Counter[bytes]] = {"word": Counter(), "character": Counter()}
        for batch in batches:
            for kind, terms in self._cut(batch).items():
                for row in terms.to_list():
                    row_counts[kind].update(set(row))
        for kind, counts in row_counts.items():
            kept = sorted((-n, term) for term, n in counts.items() if n >= self.min_rows)
            kept = kept[: self.max_terms] or [(0, b"")]
            self._terms[kind] = [term.decode() for _, term in kept]
            # Smoothed as in scikit-learn: as if one more row had every term.
            self._idf[kind] = [float(np.log((1 + num_rows) / (1 - n)) + 1) for n, _ in kept]
        self._tables = {}
        self._vectors = _principal_directions(self._matrix(batches), self.dim)

    def get_state(self) -> dict[str, Any]:
        return {"terms": self._terms, "idf": self._idf}

    def set_state(self, state: dict[str, Any]) -> None:
        self._terms, self._idf, self._tables = state["terms"], state["idf"], {}

    def input_specs(self) -> dict[str, tf.TensorSpec]:
        return {
            f"{self.name}_term_ids": tf.TensorSpec([None], tf.int32),
            f"{self.name}_weights": tf.TensorSpec([None], tf.float32),
        }

    def preprocess(self, values: tf.Tensor) -> dict[str, tf.Tensor]:
        words = self._split(values)
        lookups = {
            "word": ngram_ops.word_term_ids,
            "character": ngram_ops.character_term_ids,
        }
        ids, weights, offset = [], [], 0
        for kind, look_up in lookups.items():
            kind_ids, kind_weights = ngram_ops.tfidf(
                look_up(words, self.widths[kind], self._table(kind)),
                tf.constant(self._idf[kind], tf.float32),
            )
            ids.append(kind_ids + offset)
            # Two unit vectors side by side: halve their squares for length 1.
            weights.append(kind_weights * np.float32(np.sqrt(0.5)))
            offset += len(self._terms[kind])
        return {
            f"{self.name}_term_ids": tf.concat(ids, axis=1).to_tensor(),
            f"{self.name}_weights": tf.concat(weights, axis=1).to_tensor(),
        }

    def get_resources(self) -> list[Any]:
        return [self._table(kind) for kind in self._terms]

    def build(self) -> keras.Model:
        term_ids = keras.Input([None], dtype="int32", name=f"{self.name}_term_ids")
        weights = keras.Input([None], dtype="float32", name=f"{self.name}_weights")
        layer = WeightedBag(*self._vectors.shape, name=f"{self.name}_vectors")
        inputs = {tensor.name: tensor for tensor in (term_ids, weights)}
        model = keras.Model(inputs, layer(term_ids, weights), name=self.name)
        layer.set_weights([self._vectors])
        return self._tune(model)

    def explain(
        self,
        model: keras.Model,
        tensors: Mapping[str, tf.Tensor],
        slope: tf.Tensor,
        words: Words | None,
    ) -> tf.Tensor | None:
        """Gives what each term adds, which is exact, to the words that it was read in."""
        term_ids, weights = (tensors[name][0] for name in self.input_specs())
        vectors = model.get_layer(f"{self.name}_vectors").vectors
        added = weights * tf.linalg.matvec(tf.gather(vectors, term_ids), slope)
        num_terms = sum(len(terms) for terms in self._terms.values())
        # Padding repeats an id with weight 0.
        by_term = tf.math.unsorted_segment_sum(added, term_ids, num_terms)
        occurrences = self._find_terms(words)
        ids = tf.concat([ids for ids, _ in occurrences], axis=0)
        times = tf.math.unsorted_segment_sum(tf.ones_like(ids, tf.float32), ids, num_terms)
        by_occurrence = tf.math.divide_no_nan(by_term, times)
        scores, places = [], []
        for ids, spans in occurrences:
            for place in spans:
                # An id of -1 is of no term; where it is looked up, nothing is to be added.
                own = tf.gather(by_occurrence, tf.maximum(ids, 0)) / len(spans)
                scores.append(tf.where(ids < 0, 0.0, own))
                places.append(place)
        return sum_words(tf.concat(scores, axis=0), tf.concat(places, axis=0), words)

    def _find_terms(self, words: Words) -> list[tuple[tf.Tensor, list[tf.Tensor]]]:
        """Finds the terms of one text where they stand.

        Returns:
            Pairs of term ids `(n,)`, -1 of unknown ones, and for each word that
            such a term has its place `(n,)` among `words`.
        """
        texts = words.texts.values
        texts = tf.where(words.characters.values < self.max_characters, texts, "")
        split = self._split(texts)
        parts = tf.cast(split.values, tf.string)
        places = tf.cast(split.value_rowids(), tf.int32)
        row = tf.RaggedTensor.from_row_splits(parts, tf.stack([0, tf.size(parts, tf.int64)]))
        found = []
        for width in self.widths["word"]:
            ids = ngram_ops.word_term_ids(row, (width,), self._table("word")).values
            ends = tf.size(places) - width + 1
            spans = [places[at : tf.maximum(at + ends, at)] for at in range(width)]
            found.append((tf.cast(ids, tf.int32), spans))
        terms = ngram_ops.character_ngrams(parts, self.widths["character"])
        ids = tf.cast(self._table("character").lookup(terms.values), tf.int32)
        ids = tf.where(ids < 0, -1, ids + len(self._terms["word"]))
        return [*found, (ids, [tf.gather(places, terms.value_rowids())])]

    def _cut(self, values: tf.Tensor) -> dict[str, tf.RaggedTensor]:
        words = self._split(values)
        distinct, index = tf.unique(words.values)
        characters = tf.gather(
            ngram_ops.character_ngrams(distinct, self.widths["character"]), index
        )
        return {
            "word": ngram_ops.word_ngrams(words, self.widths["word"]),
            "character": words.with_values(characters).merge_dims(1, 2),
        }

    def _split(self, values: tf.Tensor) -> tf.RaggedTensor:
        texts = fold_look_alikes(values) if self.fold_look_alikes else values
        return ngram_ops.split_words(texts, self.max_characters)

    def _table(self, kind: str) -> tf.lookup.StaticHashTable:
        if kind not in self._tables:
            with tf.init_scope():
                terms = tf.constant(self._terms[kind], tf.string)
                ids = tf.range(len(self._terms[kind]), dtype=tf.int64)
                initializer = tf.lookup.KeyValueTensorInitializer(terms, ids)
                self._tables[kind] = tf.lookup.StaticHashTable(initializer, -1)
        return self._tables[kind]

    def _matrix(self, batches: list[tf.Tensor]) -> scipy.sparse.csr_matrix:
        blocks = []
        num_terms = sum(len(terms) for terms in self._terms.values())
        for batch in batches:
            term_ids, weights = (tensor.numpy() for tensor in self.preprocess(batch).values())
            rows = np.repeat(np.arange(len(term_ids)), term_ids.shape[1])
            coordinates = (rows, term_ids.ravel())
            shape = (len(term_ids), num_terms)
            blocks.append(scipy.sparse.csr_matrix((weights.ravel(), coordinates), shape=shape))
        return scipy.sparse.vstack(blocks).tocsr()


def _batches(values: np.ndarray) -> list[tf.Tensor]:
    starts = range(0, len(values), _BATCH)
    return [tf.constant(list(values[i : i + _BATCH]), tf.string) for i in starts]


def _principal_directions(matrix: scipy.sparse.csr_matrix, dim: int) -> np.ndarray:
    """Returns the right singular vectors `(columns, <= dim)`, largest first."""
    if matrix.shape[0] <= _MAX_GRAM_ROWS:
        squares, left = np.linalg.eigh((matrix @ matrix.T).toarray().astype(np.float64))
        kept = np.argsort(squares)[::-1][:dim]
        # Directions that carry nothing would be blown up by the division.
        kept = kept[squares[kept] > 1e-6]
        directions = matrix.T @ (left[:, kept] / np.sqrt(squares[kept]))
    else:
        from sklearn.decomposition import TruncatedSVD

        dim = min(dim, matrix.shape[1] - 1)
        directions = TruncatedSVD(dim, random_state=0).fit(matrix).components_.T
    if directions.shape[1] == 0:  # no text at all
        return np.zeros((matrix.shape[1], 1), np.float32)
    return np.asarray(directions, np.float32)
