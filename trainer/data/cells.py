"""What one cell of a table says: nothing, some text, a number."""

from __future__ import annotations

import math
import re
import unicodedata

import numpy as np
import pandas as pd

_MISSING_NUMBERS = frozenset({"nan", "na", "n/a", "<na>", "null", "none", "nil", "-", "--", "?"})
_MAX_DIGITS = 64
_CURRENCY = (
    r"(?:rs|inr|usd|us\s?\$|eur|gbp|cny|rmb|jpy|chf|krw|sek|nok|dkk|aud|cad|kr|[$€£¥₹₩₽]|元|円)\.?"
)
_AMOUNT = re.compile(
    rf"(?P<sign>[+-]?)\s*(?:{_CURRENCY}\s*)?(?P<inner_sign>[+-]?)"
    rf"(?P<digits>[\d.,'’ ]*\d\.?(?:e[+-]?\d+)?)\s*(?:/-|%|{_CURRENCY})?",
    re.IGNORECASE,
)
_PLAIN = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?", re.IGNORECASE)
# "1,299" and "1,29,900" (lakh) are grouped; "0,125" and "12,5" have a decimal comma.
_GROUPED = re.compile(r"[1-9]\d{0,2}(?:,\d{2,3})*,\d{3}(?:\.\d*)?")
_GROUPED_BY_DOT = re.compile(r"[1-9]\d{0,2}(?:(?:\.\d{3})+,\d*|(?:\.\d{3}){2,})")
_GROUPED_BY_SPACE = re.compile(r"[1-9]\d{0,2}(?:[ '’]\d{3})+(?:[.,]\d*)?")
_DECIMAL_COMMA = re.compile(r"\d+,\d+")


def is_empty(cell: object) -> bool:
    """Says whether a cell holds nothing: `None`, NaN, `""`, blanks only, `b""`."""
    if cell is None:
        return True
    if isinstance(cell, str):
        return not cell.strip()
    if isinstance(cell, (bytes, bytearray, memoryview)):
        return len(cell) == 0
    missing = pd.isna(cell)
    # A list or an array answers once for each of its items.
    return bool(missing) if isinstance(missing, (bool, np.bool_)) else False


def cell_content(cell: object) -> bytes:
    """Returns what a cell says with its length before it, so that cells cannot run together."""
    if isinstance(cell, (bytes, bytearray, memoryview)):
        content = bytes(cell)
    else:
        content = as_text(cell).encode("utf-8", "surrogatepass")
    return b"%d:%s" % (len(content), content)


def as_text(cell: object) -> str:
    """Returns a cell as stripped text; `""` for an empty one.

    Whole floats lose their `.0`: pandas turns integers into floats in a column
    that has a gap, and `3` must stay the same label or id.
    """
    if is_empty(cell):
        return ""
    if isinstance(cell, (bytes, bytearray, memoryview)):
        return bytes(cell).decode("utf-8", errors="replace").strip()
    if isinstance(cell, (float, np.floating)) and float(cell).is_integer():
        return str(int(cell))
    return str(cell).strip()


def parse_number(cell: object) -> float | None:
    """Reads a number as people write it.

    Understands currencies (`Rs. 1,299`, `€ 12,50`, `1299/-`), thousands
    separators and a decimal comma. A lone dot is decimal: `1.299` is 1.299.

    Returns:
        The number; NaN for an empty cell or a word for "missing" such as
        `NaN` or `n/a`; infinity where the cell says so; `None` for anything
        that is not a number.
    """
    if is_empty(cell):
        return math.nan
    if not isinstance(cell, str):
        try:
            return float(cell)  # type: ignore[arg-type]
        except (TypeError, ValueError, OverflowError):
            return None
    return _parse_text(cell)


def _parse_text(cell: str) -> float | None:
    # NFKC turns full-width digits and signs (１２９, ￥) into plain ones.
    text = unicodedata.normalize("NFKC", cell).replace("−", "-").strip()
    if len(text) > _MAX_DIGITS:
        return None
    if text.lower() in _MISSING_NUMBERS:
        return math.nan
    if text.lower().lstrip("+-") in ("inf", "infinity"):
        return -math.inf if text.startswith("-") else math.inf
    match = _AMOUNT.fullmatch(text)
    if match is None or (match["sign"] and match["inner_sign"]):
        return None
    value = _unsigned(match["digits"].strip())
    negative = "-" in (match["sign"], match["inner_sign"])
    return -value if value is not None and negative else value


def _unsigned(digits: str) -> float | None:
    """Returns the value of digits with separators, `None` when they make no number."""
    if _PLAIN.fullmatch(digits):
        return float(digits)
    if _GROUPED.fullmatch(digits):
        return float(digits.replace(",", ""))
    if _GROUPED_BY_DOT.fullmatch(digits):
        return float(digits.replace(".", "").replace(",", "."))
    if _GROUPED_BY_SPACE.fullmatch(digits):
        return float(re.sub(r"[ '’]", "", digits).replace(",", "."))
    if _DECIMAL_COMMA.fullmatch(digits):
        return float(digits.replace(",", "."))
    return None
