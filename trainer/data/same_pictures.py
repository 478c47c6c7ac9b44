"""Finds rows that show the same picture, byte for byte or stored differently."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from trainer.data.cells import is_empty
from trainer.data.pictures import PictureError, load_file, open_picture

# Measured on 706 shop pictures stored anew (JPEG quality 50 and 85, half the size, PNG):
# at most 2 bits and 0.7 grey levels differ; between different pictures 5 bits or 5 levels.
MAX_BITS = 4
MAX_GREY_LEVELS = 4.0
MAX_ASPECT_RATIO = 1.02
# Below this spread of grey levels a picture is blank and proves nothing.
MIN_SPREAD = 3.0
# A change of brightness that storing anew cannot make, in grey levels.
_MARGIN = 2
_CHUNK = 32


@dataclass(frozen=True)
class Look:
    """What a picture looks like, small.

    Args:
        bits: 64 bits, each whether it gets brighter from one place to the next.
        grey: uint8 `(256,)`, a thumbnail.
        aspect: Width by height.
    """

    bits: np.uint64
    grey: np.ndarray
    aspect: float


def same_picture_pairs(cells: Iterable[object], folder: Path, max_shared: int) -> np.ndarray:
    """Pairs the rows that show the same picture.

    Args:
        cells: For each row a path or encoded bytes; rows without a readable
            picture have no pair.
        folder: Folder of the table.
        max_shared: int. A picture of more rows than this is a placeholder.

    Returns:
        int array `(pairs, 2)` of row numbers that link all rows of a picture.

    Reference:
        Krawetz, 2013, "Kind of like that" (dHash), confirmed by comparing
        16 x 16 grey thumbnails.
    """
    looks, holders = _look_at(cells, folder)
    usual = [look for look, rows in enumerate(holders) if len(rows) <= max_shared]
    pairs = [(rows[0], row) for rows in (holders[i] for i in usual) for row in rows[1:]]
    first_rows = [holders[look][0] for look in usual]
    alike = _alike([looks[look] for look in usual], max_shared)
    pairs += [(first_rows[i], first_rows[j]) for i, j in alike]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def _look_at(cells: Iterable[object], folder: Path) -> tuple[list[Look], list[list[int]]]:
    """Returns the different files' looks, and the rows that hold each."""
    by_digest: dict[bytes, list[int]] = defaultdict(list)
    looks: dict[bytes, Look] = {}
    for row, cell in enumerate(cells):
        if is_empty(cell):
            continue
        try:
            encoded, _ = load_file(cell, folder)
            digest = hashlib.blake2b(encoded, digest_size=16).digest()
            if digest not in looks and (look := look_at(encoded)) is not None:
                looks[digest] = look
        except PictureError:
            continue
        if digest in looks:
            by_digest[digest].append(row)
    return list(looks.values()), [by_digest[digest] for digest in looks]


def look_at(encoded: bytes) -> Look | None:
    """Returns a picture's look, `None` for a blank or broken one.

    Raises:
        PictureError: if it is no picture.
    """
    with open_picture(encoded) as image:
        try:
            aspect = image.width / image.height
            # A JPEG decodes to a fraction of its size at a fraction of the cost; the
            # box says where the picture ends between the pixels of that fraction.
            drafted = image.draft("L", (64, 64))
            box = drafted[1] if drafted else None
            grey_image = image.convert("L")
        except Exception:
            return None
    if min(grey_image.size) < 1:
        return None
    resample = Image.Resampling.BILINEAR
    grey = np.asarray(grey_image.resize((16, 16), resample, box=box), dtype=np.uint8)
    steps = np.asarray(grey_image.resize((9, 8), resample, box=box), dtype=np.int16)
    if grey.std() < MIN_SPREAD:
        return None
    bits = np.packbits(steps[:, 1:] - steps[:, :-1] > _MARGIN).view(np.uint64)[0]
    return Look(bits, grey.ravel(), aspect)


def _alike(looks: Sequence[Look], max_shared: int) -> list[tuple[int, int]]:
    """Compares all pairs, in chunks: n^2 time of some nanoseconds, memory O(n)."""
    if not looks:
        return []
    bits = np.array([look.bits for look in looks])
    grey = np.stack([look.grey for look in looks])
    aspects = np.log([look.aspect for look in looks])
    pairs: list[tuple[int, int]] = []
    for start in range(0, len(looks), _CHUNK):
        distance = np.bitwise_count(bits[start : start + _CHUNK, None] ^ bits)
        i, j = np.nonzero(distance <= MAX_BITS)
        i += start
        keep = (i != j) & (np.abs(aspects[i] - aspects[j]) <= np.log(MAX_ASPECT_RATIO))
        i, j = i[keep], j[keep]
        difference = np.abs(grey[i].astype(np.int16) - grey[j]).mean(axis=1)
        i, j = i[difference <= MAX_GREY_LEVELS], j[difference <= MAX_GREY_LEVELS]
        # Whoever resembles very many others is a placeholder with small changes.
        usual = np.bincount(i, minlength=len(looks))[i] <= max_shared
        pairs += zip(i[usual].tolist(), j[usual].tolist(), strict=True)
    return pairs
