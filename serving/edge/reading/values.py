"""What is told of a product as what training reads of it: `trainer.modalities`, on a device."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import SupportsFloat, cast

import numpy as np

from serving.edge.pictures.standardize import PictureError, standardize
from serving.edge.reading.numbers import parse_number

Value = bytes | float
"""What a network's preprocessing takes: a file, UTF-8, or a number."""
Told = bytes | str | SupportsFloat | None
"""What somebody says of a product in one cell."""

MAX_CHARACTERS = 20_000
"""The rest of a longer text is cut off."""
_SEPARATOR = "\n"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ufeff\ufffe\uffff]")
_MAX_FLOAT32 = float(np.finfo(np.float32).max)


def read_value(kind: str, cells: Sequence[Told]) -> tuple[Value, str]:
    """Turns the cells of an input into what training would have read of them.

    Args:
        kind: A modality. A value of one that is not known here stays as it is.
        cells: Of an image, the bytes of files.

    Returns:
        `(value, problem)`: `b""` or NaN where there is none; and `""`, or one
        short clause that says what was wrong. An empty cell is no problem.
    """
    filled = [cell for cell in cells if not _is_empty(cell)]
    read = _READERS.get(kind)
    if read is None:
        return (cast(Value, filled[0]) if filled else b""), ""
    return read(filled)


def clean_text(text: str) -> str:
    """Removes control characters, folds white space and composes Unicode (NFC)."""
    return " ".join(_CONTROL.sub(" ", unicodedata.normalize("NFC", text)).split())


def split_cells(text: str, num_cells: int) -> list[str]:
    """Splits a text that is given whole: its columns are separated by line breaks.

    Args:
        text: str.
        num_cells: int. The number of columns: the last takes what is left, line
            breaks and all. 0 for any number.
    """
    return text.split(_SEPARATOR, num_cells - 1)


def as_text(cell: Told) -> str:
    """Returns a cell as stripped text; `""` for an empty one."""
    if _is_empty(cell):
        return ""
    if isinstance(cell, bytes):
        return cell.decode("utf-8", errors="replace").strip()
    # 3 and 3.0 must stay the same category.
    if isinstance(cell, float | np.floating) and float(cell).is_integer():
        return str(int(cell))
    return str(cell).strip()


def _is_empty(cell: Told) -> bool:
    if isinstance(cell, str):
        return not cell.strip()
    if isinstance(cell, bytes):
        return not cell
    return cell is None or (isinstance(cell, float | np.floating) and math.isnan(cell))


def _read_text(filled: Sequence[Told]) -> tuple[bytes, str]:
    texts = [clean_text(as_text(cell)) for cell in filled]
    joined = _SEPARATOR.join(text for text in texts if text)
    # A lone surrogate cannot be written as UTF-8.
    return joined[:MAX_CHARACTERS].encode("utf-8", errors="replace"), ""


def _read_category(filled: Sequence[Told]) -> tuple[bytes, str]:
    text = next((text for text in map(as_text, filled) if text), "")
    return text.encode("utf-8", errors="replace"), ""


def _read_number(filled: Sequence[Told]) -> tuple[float, str]:
    if not filled:
        return math.nan, ""
    cell = filled[0]
    shown = as_text(cell)[:40]
    value = parse_number(as_text(cell)) if isinstance(cell, bytes | str) else _as_float(cell)
    if value is None:
        return math.nan, f"not a number: {shown!r}"
    if abs(value) > _MAX_FLOAT32:
        return math.nan, f"not a finite number: {shown!r}"
    return value, ""


def _as_float(cell: SupportsFloat | None) -> float | None:
    try:
        return float(cast(SupportsFloat, cell))
    except (TypeError, ValueError, OverflowError):
        return None


def _read_picture(filled: Sequence[Told]) -> tuple[bytes, str]:
    if not filled:
        return b"", ""
    if not isinstance(filled[0], bytes):
        return b"", f"not a picture: {as_text(filled[0])[:40]!r}"
    try:
        return standardize(filled[0]), ""
    except PictureError as error:
        return b"", str(error)


_READERS: dict[str, Callable[[Sequence[Told]], tuple[Value, str]]] = {
    "category": _read_category,
    "image": _read_picture,
    "number": _read_number,
    "text": _read_text,
}
