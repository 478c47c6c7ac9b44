"""Numbers as people write them, read as `trainer.data.cells.parse_number` reads them."""

from __future__ import annotations

import math
import re
import unicodedata

_MISSING = frozenset({"nan", "na", "n/a", "<na>", "null", "none", "nil", "-", "--", "?"})
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


def parse_number(text: str) -> float | None:
    """Reads a number as people write it.

    Understands currencies (`Rs. 1,299`, `€ 12,50`, `1299/-`), thousands
    separators and a decimal comma. A lone dot is decimal: `1.299` is 1.299.

    Returns:
        The number; NaN for an empty text or a word for "missing" such as `NaN`
        or `n/a`; infinity where the text says so; `None` for anything that is
        not a number.
    """
    if not text.strip():
        return math.nan
    # NFKC turns full-width digits and signs (１２９, ￥) into plain ones.
    text = unicodedata.normalize("NFKC", text).replace("−", "-").strip()
    if len(text) > _MAX_DIGITS:
        return None
    if text.lower() in _MISSING:
        return math.nan
    if text.lower().lstrip("+-") in ("inf", "infinity"):
        return -math.inf if text.startswith("-") else math.inf
    match = _AMOUNT.fullmatch(text)
    if match is None or (match["sign"] and match["inner_sign"]):
        return None
    value = _read_digits(match["digits"].strip())
    negative = "-" in (match["sign"], match["inner_sign"])
    return -value if value is not None and negative else value


def _read_digits(digits: str) -> float | None:
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
