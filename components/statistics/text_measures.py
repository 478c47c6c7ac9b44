"""What can be measured of a text."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

from components.statistics.distinct import hash_value

MIN_WORDS = 5
"""Shorter texts, such as "Men's T-Shirt", are the same by chance."""
NO_SCRIPT = "none"

_UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
# Chinese and Japanese are written without spaces: each character is a word of its own.
_WORD = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+")
_NAMES = {"CJK": "Han", "HIRAGANA": "Kana", "KATAKANA": "Kana", "FULLWIDTH": "Latin"}


def words_of(text: str) -> list[str]:
    """Returns the words of a text in lower case, without punctuation."""
    return _WORD.findall(text.lower())


def script_of(text: str) -> str:
    """Returns the script most of its letters are of, `Latin`, `Han`, `Cyrillic` ...; `none`."""
    letters = Counter(char for char in text if char.isalpha())
    scripts: Counter[str] = Counter()
    for char, count in letters.items():
        scripts[_script(char)] += count
    return min(scripts, key=lambda name: (-scripts[name], name), default=NO_SCRIPT)


def hash_texts(texts: Iterable[str]) -> int | None:
    """Returns a hash of what texts say, whatever their case, width and spacing.

    Args:
        texts: Of the columns of a record, in order.

    Returns:
        64 bits, or `None` where there are fewer than `MIN_WORDS` words.
    """
    plain = [" ".join(unicodedata.normalize("NFKC", text).casefold().split()) for text in texts]
    if sum(len(words_of(text)) for text in plain) < MIN_WORDS:
        return None
    return hash_value("\0".join(plain).encode())


@functools.lru_cache(maxsize=100_000)
def _script(char: str) -> str:
    first = unicodedata.name(char, "unknown").split()[0].split("-")[0]
    return _NAMES.get(first, first.capitalize())
