"""Finds rows whose texts are nearly the same."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer

MIN_SIMILARITY = 0.9
"""Cosine of the TF-IDF words of all columns together."""
MIN_COLUMN_SIMILARITY = 0.6
"""The same in every column alone: two products of one boilerplate description
differ in their titles."""
MIN_TOKENS = 5
"""Shorter texts, such as "Men's T-Shirt", are the same by chance."""

# MinHash: a pair of Jaccard similarity s is compared with probability
# 1 - (1 - s^6)^20: 0.98 at 0.75, and 0.001 at 0.2.
_BANDS, _HASHES_PER_BAND = 20, 6
_CHUNK = 20_000
_CJK = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
# Words, and single characters where words are not separated.
_TOKEN = re.compile(rf"[{_CJK}]|[^\W_{_CJK}]+")


def same_text_pairs(columns: Sequence[Sequence[str]], max_shared: int) -> np.ndarray:
    """Pairs the rows whose texts are nearly the same.

    Args:
        columns: Texts of each column, one per row.
        max_shared: int. A text of more rows than this is boilerplate.

    Returns:
        int array `(pairs, 2)` of row numbers that link all rows of a text.

    Reference:
        Broder, 1997, "On the resemblance and containment of documents", for
        the candidates; they are confirmed by the cosine of TF-IDF vectors.
    """
    holders = _different_texts(columns)
    usual = [rows for rows in holders if len(rows) <= max_shared]
    pairs = [(rows[0], row) for rows in usual for row in rows[1:]]
    first_rows = np.array([rows[0] for rows in usual], dtype=np.int64)
    exact = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    if len(usual) < 2:
        return exact
    parts = [[tokens_of(column[row]) for row in first_rows] for column in columns]
    joined = [[token for part in row for token in part] for row in zip(*parts, strict=True)]
    i, j = _candidates(joined, max_shared)
    keep = _similarity(joined, i, j) >= MIN_SIMILARITY
    i, j = i[keep], j[keep]
    if len(columns) > 1:
        for part in parts:
            keep = _similarity(part, i, j) >= MIN_COLUMN_SIMILARITY
            i, j = i[keep], j[keep]
    return np.concatenate([exact, np.stack([first_rows[i], first_rows[j]], axis=1)])


def tokens_of(text: str) -> list[str]:
    """Returns the words of a text, and its single characters where words are not separated."""
    return _TOKEN.findall(text.lower())


def _different_texts(columns: Sequence[Sequence[str]]) -> list[list[int]]:
    """Returns the rows of each different text that is long enough."""
    holders: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for row, texts in enumerate(zip(*columns, strict=True)):
        # Case and white space are no difference.
        folded = tuple(" ".join(text.lower().split()) for text in texts)
        if sum(len(tokens_of(text)) for text in folded) >= MIN_TOKENS:
            holders[folded].append(row)
    return list(holders.values())


def _counts(texts: Sequence[Sequence[str]]) -> csr_matrix:
    return CountVectorizer(analyzer=list, dtype=np.float32).fit_transform(texts).tocsr()


def _candidates(texts: Sequence[Sequence[str]], max_shared: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the pairs of texts that share a band of MinHash values."""
    counts = _counts(texts)
    rng = np.random.default_rng(0)
    found: list[np.ndarray] = []
    for _ in range(_BANDS):
        key = np.zeros(len(texts), dtype=np.uint64)
        for _ in range(_HASHES_PER_BAND):
            order = rng.permutation(counts.shape[1]).astype(np.uint64)
            smallest = np.minimum.reduceat(order[counts.indices], counts.indptr[:-1])
            key = key * np.uint64(0x9E3779B97F4A7C15) + smallest + np.uint64(1)
        found.extend(_pairs_within(key, max_shared))
    if not found:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    pairs = np.unique(np.concatenate(found), axis=0)
    return pairs[:, 0], pairs[:, 1]


def _pairs_within(key: np.ndarray, max_shared: int) -> Iterator[np.ndarray]:
    order = np.argsort(key, kind="stable")
    starts = np.flatnonzero(np.diff(key[order], prepend=key[order[0]] + np.uint64(1)))
    for bucket in np.split(order, starts[1:]):
        # A bucket of more is a template; what is nearly the same within it meets in other bands.
        if 2 <= len(bucket) <= max_shared:
            i, j = np.triu_indices(len(bucket), 1)
            # Stable sorting keeps i < j.
            yield np.stack([bucket[i], bucket[j]], axis=1)


def _similarity(texts: Sequence[Sequence[str]], i: np.ndarray, j: np.ndarray) -> np.ndarray:
    """Returns cosines `(pairs,)`; 1 where one of the two is empty and cannot contradict."""
    if not len(i):
        return np.empty(0)
    if not any(texts):
        return np.ones(len(i))
    vectors = TfidfTransformer(sublinear_tf=True).fit_transform(_counts(texts))
    empty = np.diff(vectors.indptr) == 0
    cosines = [
        np.asarray(vectors[a].multiply(vectors[b]).sum(axis=1)).ravel()
        for a, b in (
            (i[start : start + _CHUNK], j[start : start + _CHUNK])
            for start in range(0, len(i), _CHUNK)
        )
    ]
    return np.where(empty[i] | empty[j], 1.0, np.concatenate(cosines))
