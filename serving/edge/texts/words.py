"""Words of letters and digits, as regular expressions of TensorFlow find them."""

from __future__ import annotations

import unicodedata

from serving.edge.texts.lower_case import lower
from serving.edge.texts.points import PointSet, PointTable
from serving.edge.texts.unicode_versions import (
    LATER,
    LATER_LETTERS_MARKS_NUMBERS,
    LATER_MARKS,
)

# Scripts of Unicode 15.0, of which Python's unicodedata says nothing.
_HAN = PointSet(
    "2E80-2E99 2E9B-2EF3 2F00-2FD5 3005 3007 3021-3029 3038-303B 3400-4DBF 4E00-9FFF F900-FA6D "
    "FA70-FAD9 16FE2-16FE3 16FF0-16FF1 20000-2A6DF 2A700-2B739 2B740-2B81D 2B820-2CEA1 2CEB0-2EBE0 "
    "2F800-2FA1D 30000-3134A 31350-323AF"
)
_KANA = PointSet(
    "3041-3096 309D-309F 30A1-30FA 30FD-30FF 31F0-31FF 32D0-32FE 3300-3357 FF66-FF6F FF71-FF9D "
    "1AFF0-1AFF3 1AFF5-1AFFB 1AFFD-1AFFE 1B000-1B122 1B132 1B150-1B152 1B155 1B164-1B167 1F200"
)


class _Words(PointTable):
    """Makes a space of all that is no part of a word.

    Args:
        marks: bool. Whether marks are parts of words.
        kana: bool. Whether each kana is a word of its own, as each ideograph is.
    """

    def __init__(self, marks: bool, kana: bool) -> None:
        super().__init__()
        self._marks = marks
        self._kana = kana

    def write(self, point: int) -> str:
        if not self._is_part(point):
            return " "
        alone = point in _HAN or (self._kana and point in _KANA)
        return f" {chr(point)} " if alone else chr(point)

    def _is_part(self, point: int) -> bool:
        if point in LATER:
            known = point in LATER_LETTERS_MARKS_NUMBERS
            return known and (self._marks or point not in LATER_MARKS)
        return unicodedata.category(chr(point))[0] in ("LMN" if self._marks else "LN")


_WITH_MARKS = _Words(marks=True, kana=True)
_WITHOUT_MARKS = _Words(marks=False, kana=False)


def split_words(text: bytes, max_characters: int) -> list[str]:
    """Splits a UTF-8 text as `trainer.layers.ngram_ops.split_words` does."""
    characters = text.decode("utf-8", "replace")[:max_characters]
    return lower(characters).translate(_WITH_MARKS).split()


def split_plain_words(text: bytes) -> list[str]:
    """Splits a UTF-8 text as the encoder `tiny_text` does: marks divide words."""
    return lower(text.decode("utf-8", "replace")).translate(_WITHOUT_MARKS).split()
