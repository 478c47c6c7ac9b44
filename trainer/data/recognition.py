"""Recognises from its cells what kind of column one column is."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from trainer.data.cells import as_text, is_empty, parse_number
from trainer.data.pictures import SUFFIXES, PictureError, open_picture

FILE_SUFFIXES = {
    "image": SUFFIXES,
    "audio": (".wav", ".mp3", ".flac", ".ogg", ".m4a", ".opus"),
    "series": (".csv", ".npy", ".npz", ".parquet"),
}
TITLE_WORDS = frozenset({"title", "headline", "name", "标题", "名称"})
DESCRIPTION_WORDS = frozenset({"description", "desc", "details", "summary", "text", "描述"})

_SAMPLE = 2_000
_MOST = 0.95
_MIN_REPEATS = 5
_MAX_CATEGORIES = 200
_MAX_CATEGORY_LENGTH = 60
_URL = re.compile(r"(?:\w[\w+.-]+://|www\.)\S+|data:\S+")
_DATE = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?:[T ].*)?|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}")
_HEX = re.compile(r"[0-9a-f]{16,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_CODE = re.compile(r"(?=.*\d)[A-Z0-9._:/#-]{3,}|(?:[A-Za-z]{0,4}\d[.:/#_-]?){3,}[A-Za-z]{0,4}")


def words_of(name: str) -> set[str]:
    """Returns the lower-case words of a column's name, `product_name` -> both."""
    return set(re.split(r"[\W_]+", name.lower()))


def is_title(name: str) -> bool:
    """Says whether a column is called like a product's title."""
    # `brand_name` and `category_name` are no names of a product.
    words = words_of(name)
    return bool(words & TITLE_WORDS) and words <= TITLE_WORDS | {"product", "item", "full", "short"}


def is_description(name: str) -> bool:
    """Says whether a column is called like a product's description."""
    return bool(words_of(name) & DESCRIPTION_WORDS)


def recognize(
    name: str, cells: pd.Series, folder: Path, modalities: Collection[str]
) -> tuple[str, str]:
    """Recognises one column.

    Args:
        name: str.
        cells: All cells of the column.
        folder: Folder of the table, for paths.
        modalities: Kinds that can be read; files of others are ignored.

    Returns:
        `(kind, reason)`: `image`, `text`, `number`, `category`, `audio`,
        `series`, `id` or `ignored`, and a clause that says why.
    """
    filled = [cell for cell in cells if not is_empty(cell)]
    found = _by_name(name, filled) or _by_type(filled) or _by_texts(name, filled, cells, folder)
    kind, reason = found
    if kind in FILE_SUFFIXES and kind not in modalities:
        return "ignored", f"{reason}; there is no modality {kind!r} to read them"
    return found


def _by_name(name: str, filled: Sequence[object]) -> tuple[str, str] | None:
    if re.fullmatch(r"Unnamed: \d+", name):
        return "ignored", "it has no name in the header"
    if not filled:
        return "ignored", "it is empty"
    return ("id", "it is called `id`") if name == "id" else None


def _share(sample: Sequence[str], pattern: re.Pattern[str]) -> float:
    return sum(pattern.fullmatch(text) is not None for text in sample) / len(sample)


def _by_type(filled: Sequence[object]) -> tuple[str, str] | None:
    first = filled[0]
    if isinstance(first, (list, tuple, set, dict, np.ndarray)):
        return "ignored", "its cells are lists, not single values"
    if isinstance(first, (bytes, bytearray, memoryview)):
        try:
            open_picture(bytes(first)).close()
        except PictureError as error:
            return "ignored", f"its cells are bytes; the first is {error}"
        return "image", "encoded pictures"
    if isinstance(first, (datetime.date, datetime.time, np.datetime64)):
        return "ignored", "dates are not read"
    if isinstance(first, (bool, np.bool_)):
        return "category", "true or false"
    return None


def _by_texts(
    name: str, filled: Sequence[object], cells: pd.Series, folder: Path
) -> tuple[str, str]:
    texts = [as_text(cell) for cell in filled]
    num_distinct = len(set(texts))
    if num_distinct == 1 and len(texts) == len(cells) > 1:
        return "ignored", f"every row says {texts[0][:40]!r}"
    step = max(1, len(texts) // _SAMPLE)
    return (
        _by_form(texts[::step], folder)
        or _by_number(filled[::step], num_distinct / len(texts))
        or _by_words(name, texts[::step], num_distinct, len(texts))
    )


def _by_form(sample: Sequence[str], folder: Path) -> tuple[str, str] | None:
    """Recognises URLs, paths of files and dates."""
    if (share := _share(sample, _URL)) > 0.5:
        return "ignored", f"{share:.1%} are URLs; download them and give their paths"
    for kind, suffixes in FILE_SUFFIXES.items():
        endings = "|".join(re.escape(suffix) for suffix in suffixes)
        several = re.compile(rf"\[.*(?:{endings})\W*\]|.+(?:{endings})\W?\s*[,;|].+", re.I | re.S)
        one = re.compile(rf".+(?:{endings})", re.I)
        if _share(sample, one) < 0.9 and _share(sample, several) < 0.9:
            continue
        if _share(sample, several) > 0.5:
            return "ignored", "several values in a cell; give every picture its own column"
        paths = sample[:: max(1, len(sample) // 200)]
        exist = sum(_exists(folder, text) for text in paths)
        if exist < len(paths) / 2:
            reason = f"paths of {kind} files, but {exist} of {len(paths)} looked at exist"
            return "ignored", f"{reason} in {folder}"
        return kind, f"paths of {kind} files; {exist} of {len(paths)} looked at exist"
    if _share(sample, _DATE) >= _MOST:
        return "ignored", "dates are not read"
    return None


def _exists(folder: Path, text: str) -> bool:
    try:
        return (folder / text.replace("\\", "/")).exists()
    except (OSError, ValueError):
        return False


def _by_number(sample: Sequence[object], distinct_share: float) -> tuple[str, str] | None:
    values = [parse_number(cell) for cell in sample]
    share = sum(value is not None for value in values) / len(values)
    numbers = np.array([v for v in values if v is not None and not math.isnan(v)])
    if share < _MOST:
        return None
    if not len(numbers):
        return "ignored", "every cell is a word for 'missing'"
    texts = [as_text(cell) for cell in sample]
    if distinct_share >= _MOST and all(text.isdecimal() for text in texts):
        same_length = len({len(text) for text in texts}) == 1
        padded = same_length and any(re.match(r"0\d", text) for text in texts)
        counted = numbers[0] in (0, 1) and len(set(np.diff(numbers))) == 1
        if padded or counted or (same_length and len(texts[0]) >= 8):
            return "ignored", f"a code of its own in every row, such as {texts[0][:40]!r}"
    return "number", f"{share:.1%} of the cells are numbers, such as {texts[0][:40]!r}"


def _by_words(
    name: str, sample: Sequence[str], num_distinct: int, num_texts: int
) -> tuple[str, str]:
    codes = sum(bool(_HEX.fullmatch(t) or (len(t) <= 40 and _CODE.fullmatch(t))) for t in sample)
    if num_distinct >= _MOST * num_texts > 1 and codes >= 0.9 * len(sample):
        return "ignored", f"a code of its own in every row, such as {sample[0][:40]!r}"
    repeated = num_distinct * _MIN_REPEATS <= num_texts and num_distinct <= _MAX_CATEGORIES
    short = max(map(len, sample)) <= _MAX_CATEGORY_LENGTH
    if repeated and short and not is_title(name) and not is_description(name):
        return "category", f"{num_distinct} values in {num_texts} cells"
    words = sum(len(text.split()) for text in sample) / len(sample)
    return "text", f"{num_distinct} different texts of {words:.1f} words on average"
