"""Near-duplicates among more rows than can be compared with each other: by hashes.

Two rows belong together that share a key: the bytes of a picture; its look, all 64 bits of it;
all words of their texts; or one of eight groups of four MinHash values of the pairs of
neighbouring words, those aside that are common in the table. Texts whose pairs have Jaccard
similarity 0.9 do so with probability 0.9999, 0.7 with 0.89, 0.5 with 0.40 and 0.2 with 0.01.
`trainer.data.duplicates` takes a closer look at what looks alike; here it is taken as it is, so
that groups are larger rather than smaller. A picture that was stored anew is found only if none
of its 64 bits has changed.
"""

from __future__ import annotations

import hashlib
import math
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence, Set
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from components.shards import attempt
from trainer.data.pictures import PictureError, load_file
from trainer.data.same_pictures import look_at
from trainer.data.same_texts import MIN_TOKENS, tokens_of

_BANDS, _HASHES_PER_BAND = 8, 4
_COMMON = 0.02
"""Pairs of words in a larger share of the rows are boilerplate."""
_JUDGED_PARTS, _JUDGED_ROWS = 50, 200


def write_keys(spec: dict[str, Any], shared: dict[str, Any]) -> int:
    """Writes the keys of the rows of a part, uint64 `(keys, rows)`; 0 where a row has none.

    Args:
        spec: `part`, `folder` of its pictures, and `keys`, the file to write.
        shared: Columns of `images` and `texts`; `common`, what `find_common_pairs` returns.
    """
    images, texts = shared["images"], shared["texts"]
    cells = pq.read_table(spec["part"], columns=[*images, *texts]).to_pydict()
    rows = pq.read_metadata(spec["part"]).num_rows
    keys: list[Any] = []
    for name in images:
        keys += _picture_keys(cells[name], Path(spec["folder"]))
    if texts:
        columns = [[cell or "" for cell in cells[name]] for name in texts]
        keys += _text_keys(columns, frozenset(shared["common"]))
    with attempt(Path(spec["keys"])) as path, path.open("wb") as file:
        np.save(file, np.array(keys, np.uint64).reshape(len(keys), rows))
    return rows


def find_common_pairs(parts: Sequence[Path], texts: Sequence[str]) -> list[int]:
    """Returns the pairs of words of boilerplate, as numbers, judged by some rows of some parts."""
    counts: Counter[int] = Counter()
    rows = 0
    for part in parts[:: -(-len(parts) // _JUDGED_PARTS)]:
        cells = pq.read_table(part, columns=list(texts)).to_pydict()
        columns = [[cell or "" for cell in cells[name]] for name in texts]
        some = list(zip(*columns, strict=True))
        some = some[:: -(-len(some) // _JUDGED_ROWS) or 1]
        for own in some:
            counts.update(_word_pairs(own)[0])
        rows += len(some)
    return sorted(pair for pair, count in counts.items() if count > max(2, _COMMON * rows))


def group_rows(paths: Sequence[Path]) -> np.ndarray:
    """Groups rows that share keys, directly or in a chain.

    What very many rows share is a placeholder or boilerplate, as for
    `trainer.data.duplicates.group_near_duplicates`.

    Args:
        paths: What `write_keys` wrote, part after part.

    Returns:
        int array `(rows,)`: group ids from 0.
    """
    files = [np.load(path, mmap_mode="r") for path in paths]
    rows = sum(file.shape[1] for file in files)
    max_shared = max(10, math.isqrt(rows))
    links = [np.empty((2, 0), np.int64)]
    for index in range(len(files[0]) if files else 0):
        links.append(_links(np.concatenate([file[index] for file in files]), max_shared))
    i, j = np.concatenate(links, axis=1)
    graph = coo_matrix((np.ones(len(i), np.int8), (i, j)), shape=(rows, rows))
    groups: np.ndarray = connected_components(graph, directed=False)[1]
    return groups


def _links(keys: np.ndarray, max_shared: int) -> np.ndarray:
    """Links each row to the first of those with its key: int `(2, links)`."""
    order = np.argsort(keys, kind="stable")
    sorted_keys = keys[order]
    starts = np.flatnonzero(np.diff(sorted_keys, prepend=~sorted_keys[:1]))
    sizes = np.diff(starts, append=len(keys))
    usual = (sizes > 1) & (sizes <= max_shared) & (sorted_keys[starts] != 0)
    firsts = np.repeat(order[starts], np.where(usual, sizes, 0))
    return np.stack([firsts, order[np.repeat(usual, sizes)]])


def _picture_keys(cells: Sequence[Any], folder: Path) -> tuple[list[int], list[int]]:
    digests, looks = [0] * len(cells), [0] * len(cells)
    for row, cell in enumerate(cells):
        if cell is None:
            continue
        try:
            encoded, _ = load_file(cell, folder)
            look = look_at(encoded)
        except PictureError:
            continue
        if look is not None:  # a blank picture proves nothing
            digests[row] = _hash(encoded)
            # Storing anew changes the aspect by a pixel at most.
            shape = round(10 * math.log(look.aspect))
            looks[row] = _hash(b"look%d:%d" % (int(look.bits), shape))
    return digests, looks


def _text_keys(columns: Sequence[Sequence[str]], common: Set[int]) -> list[np.ndarray]:
    rows = len(columns[0])
    exact = np.zeros(rows, np.uint64)
    pairs: list[list[int]] = []
    for row, texts in enumerate(zip(*columns, strict=True)):
        found, words = _word_pairs(texts)
        is_long = words >= MIN_TOKENS
        pairs.append(sorted(found - common) if is_long else [])
        if is_long:
            exact[row] = _hash("\0".join(map(_fold, texts)).encode())
    return [exact, *_minhash(pairs)]


def _word_pairs(texts: Sequence[str]) -> tuple[set[int], int]:
    """Returns the different pairs of neighbouring words, as numbers, and how many words there are.

    Pairs, because in languages that do not separate words, a token is one character.
    """
    found: set[int] = set()
    count = 0
    for text in texts:
        words = tokens_of(text)
        count += len(words)
        found.update(zlib.crc32(" ".join(pair).encode()) for pair in pairwise(words))
    return found, count


def _minhash(pairs: Sequence[Sequence[int]]) -> Iterator[np.ndarray]:
    """Yields the bands of the rows, uint64 `(rows,)`; 0 where a row has too few pairs."""
    counts = np.array([len(own) for own in pairs])
    rows = np.flatnonzero(counts >= MIN_TOKENS)
    numbers = np.array([number for row in rows.tolist() for number in pairs[row]], np.uint64)
    starts = np.cumsum(counts[rows]) - counts[rows]
    rng = np.random.default_rng(0)
    for _ in range(_BANDS):
        key = np.zeros(len(pairs), np.uint64)
        for _ in range(_HASHES_PER_BAND if len(rows) else 0):
            # Multiply and shift (Dietzfelbinger et al., 1997): the upper bits are well mixed.
            factor, offset = rng.integers(0, 2**63, 2, np.uint64)
            hashed = (numbers * (factor * np.uint64(2) + np.uint64(1)) + offset) >> np.uint64(20)
            smallest = np.minimum.reduceat(hashed, starts)
            key[rows] = key[rows] * np.uint64(0x9E3779B97F4A7C15) + smallest + np.uint64(1)
        yield key


def _fold(text: str) -> str:
    return " ".join(text.lower().split())


def _hash(content: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little") or 1
