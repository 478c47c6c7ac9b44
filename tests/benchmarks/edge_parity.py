"""Preprocessing of the device against TensorFlow's, row by row.

    python tests/benchmarks/edge_parity.py --data products.csv --images images/ [--generated N]

Texts are every cell of the table, generated ones, and each code point by
itself and between two letters; pictures are those of the folder, and drawn
ones of each format. Needs the packaged MiniLM for its word pieces. Exit
status 1: a row differs, a picture by more than one grey level.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tensorflow as tf
from edge_pictures import draw_pictures
from edge_texts import all_code_points, generate_texts
from table import print_table

from serving.edge.encoders.encoder import Tensors
from serving.edge.pictures.decode import decode_pictures
from serving.edge.registry import find_encoder
from trainer.encoders.encoder import Encoder
from trainer.layers import picture_ops
from trainer.modalities.text import TextModality
from trainer.registry import ENCODERS

Row = tuple[str, int, int]

_BATCH = 512
_BERT: Mapping[str, Mapping[str, Any]] = {
    "plain": {"max_tokens": 64},
    "windows, title": {"max_tokens": 8, "windows": 3, "title_tokens": 6},
    "long": {"max_tokens": 512, "windows": 4},
    "look-alikes": {"max_tokens": 32, "title_tokens": 8, "fold_look_alikes": True},
}
_NGRAM: Mapping[str, Mapping[str, Any]] = {
    "plain": {},
    "look-alikes": {"fold_look_alikes": True, "max_characters": 200, "min_rows": 1},
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="a table with texts")
    parser.add_argument("--images", type=Path, help="a folder of pictures")
    parser.add_argument("--generated", type=int, default=12_000, help="how many texts")
    arguments = parser.parse_args()

    cells, joined = read_texts(arguments.data)
    generated = list(generate_texts(arguments.generated))
    texts = [*cells, *joined, *generated]
    points = list(all_code_points())
    # Every other one stands by itself: an odd step takes of both.
    learned = [*joined, *points[::401], *generated[:2_000]]
    rows = [
        *compare_bert(texts, points),
        *compare_ngram(learned, [*texts, *points[::17]]),
        compare_texts("tiny_text", ENCODERS.get("tiny_text")("part"), {}, [*texts, *points]),
        *compare_all_pictures(arguments.images),
    ]
    print_table(("what", "rows", "differ"), [tuple(map(str, row)) for row in rows])
    return int(any(differing for *_, differing in rows))


def compare_bert(texts: Sequence[bytes], points: Sequence[bytes]) -> Iterator[Row]:
    """Compares texts under several options, and code points with and without lower-casing."""
    for name, options in _BERT.items():
        encoder = ENCODERS.get("bert")("part", **options)
        yield compare_texts(f"bert, {name}", encoder, options, texts)
    for lowercase in (True, False):
        options = {"max_tokens": 16}
        encoder = ENCODERS.get("bert")("part", **options)
        encoder.set_state({**encoder.get_state(), "lowercase": lowercase})
        name = f"bert, code points, {'lower-cased' if lowercase else 'as they are'}"
        yield compare_texts(name, encoder, options, points)


def compare_ngram(learned: Sequence[bytes], texts: Sequence[bytes]) -> Iterator[Row]:
    """Compares texts under several options."""
    for name, options in _NGRAM.items():
        encoder = ENCODERS.get("ngram")("part", **options)
        encoder.adapt(np.array(learned, object))
        yield compare_texts(f"ngram, {name}", encoder, options, texts)


def compare_all_pictures(folder: Path | None) -> Iterator[Row]:
    """Compares drawn pictures and those of a folder, in two sizes."""
    pictures = {"drawn": list(draw_pictures().values())}
    if folder:
        files = sorted(path for path in folder.iterdir() if path.is_file())
        pictures["of the folder"] = [path.read_bytes() for path in files]
    for size in (224, 97):
        for name, values in pictures.items():
            yield compare_pictures(f"pictures {name}, {size} pixels", values, size)


def read_texts(path: Path) -> tuple[list[bytes], list[bytes]]:
    """Returns the cells of a table as they are, and each row as the trainer joins it."""
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    cells = [cell.encode() for column in table for cell in table[column]]
    modality = TextModality()
    return cells, [modality.read(row, path.parent)[0] for row in table.to_numpy().tolist()]


def compare_texts(
    what: str, encoder: Encoder, options: Mapping[str, Any], texts: Sequence[bytes]
) -> Row:
    """Counts the rows that differ, and prints some of them."""
    kind = what.split(",", maxsplit=1)[0]
    edge = find_encoder(kind)("part", options, encoder.get_state())
    differing = []
    for start in range(0, len(texts), _BATCH):
        batch = list(texts[start : start + _BATCH])
        tensors = encoder.preprocess(tf.constant(batch))
        expected = {key: tensor.numpy() for key, tensor in tensors.items()}
        same = same_rows(edge.preprocess(batch), expected)
        differing += [text for text, equal in zip(batch, same, strict=True) if not equal]
    for text in differing[:5]:
        print(f"{what}: {text[:80]!r}", file=sys.stderr)
    return what, len(texts), len(differing)


def same_rows(found: Tensors, expected: Tensors) -> list[bool]:
    """Says of each row whether it is the same; terms may stand in any order."""
    if any(key.endswith("_term_ids") for key in expected):
        pairs = [[_terms(tensors, row) for tensors in (found, expected)] for row in _rows(expected)]
        return [
            one.keys() == other.keys()
            and all(abs(weight - other[term]) < 1e-6 for term, weight in one.items())
            for one, other in pairs
        ]
    if found.keys() != expected.keys():
        return [False for _ in _rows(expected)]
    return [
        all(np.array_equal(found[key][row], expected[key][row]) for key in expected)
        for row in _rows(expected)
    ]


def compare_pictures(what: str, pictures: Sequence[bytes], size: int) -> Row:
    """Counts the pictures that differ by more than one grey level somewhere."""
    worst = []
    for picture in pictures:
        expected = picture_ops.decode_pictures(tf.constant([picture]), size).numpy()
        found = decode_pictures([picture], size)
        worst.append(int(np.abs(found.astype(int) - expected).max()))
    print(f"{what}: exactly equal {worst.count(0)}, by one level {worst.count(1)}", file=sys.stderr)
    return what, len(pictures), sum(level > 1 for level in worst)


def _rows(tensors: Tensors) -> range:
    return range(len(next(iter(tensors.values()))))


def _terms(tensors: Tensors, row: int) -> dict[int, float]:
    terms, weights = tensors["part_term_ids"][row], tensors["part_weights"][row]
    return {int(term): float(weight) for term, weight in zip(terms, weights, strict=True) if weight}


if __name__ == "__main__":
    sys.exit(main())
