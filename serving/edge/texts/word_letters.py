"""The letters of word pieces, as tensorflow_text's FastBertTokenizer reads them."""

from __future__ import annotations

import unicodedata

from serving.edge.texts.points import PointSet, PointTable
from serving.edge.texts.unicode_versions import (
    LATER,
    LATER_ACCENTS,
    LATER_FOLDED,
    LATER_FORMAT,
    LATER_PUNCTUATION,
)

# Those that BERT takes for Chinese, each a word of its own, and the signs of ASCII, also where
# Unicode does not call them punctuation.
_CHINESE = PointSet("3400-4DBF 4E00-9FFF F900-FAFF 20000-2A6DF 2A700-2CEAF 2F800-2FA1F")
_SIGNS = PointSet("21-2F 3A-40 5B-60 7B-7E")
# Unicode's Default_Ignorable_Code_Point without marks, which go as accents.
_IGNORABLE = PointSet(
    "AD 61C 115F-1160 180E 200B-200F 202A-202E 2060-206F 3164 FEFF FFA0 FFF0-FFF8 1BCA0-1BCA3 "
    "1D173-1D17A E0000-E0FFF"
)
# Mn when accents were last looked up, Mc since Unicode 16.
_FORMER_ACCENT = 0x1171E


class NormalLetters(PointTable):
    """Makes spaces of control characters.

    Args:
        lowercase: bool. Fold case and compatible forms (NFKC_Casefold), too,
            and strip accents.
    """

    def __init__(self, lowercase: bool) -> None:
        super().__init__()
        self._lowercase = lowercase

    def write(self, point: int) -> str:
        if point in LATER:
            return self._write_later(point)
        category = unicodedata.category(chr(point))
        if not self._lowercase:
            return " " if category in ("Cc", "Cf") else chr(point)
        if point in _IGNORABLE or point == _FORMER_ACCENT:
            return ""
        return " " if category in ("Cc", "Cf") else _folded(chr(point))

    def _write_later(self, point: int) -> str:
        if point in LATER_FORMAT:
            return " "
        if not self._lowercase:
            return chr(point)
        return "" if point in LATER_ACCENTS else LATER_FOLDED.get(point, chr(point))


class DividedLetters(PointTable):
    """Puts spaces around signs and Chinese characters, so that words are what spaces divide."""

    def write(self, point: int) -> str:
        letter = chr(point)
        if point in _SIGNS or point in _CHINESE or point in LATER_PUNCTUATION:
            return f" {letter} "
        is_sign = point not in LATER and unicodedata.category(letter).startswith("P")
        return f" {letter} " if is_sign else letter


def _folded(letter: str) -> str:
    # The second round folds what the first made of a compatible form, such as the ℃ of 20 ℃.
    for _ in range(2):
        letter = unicodedata.normalize("NFKC", letter.casefold())
    apart = unicodedata.normalize("NFD", letter)
    return "".join(part for part in apart if unicodedata.category(part) != "Mn")
