"""Texts as a reader sees them: what `trainer.layers.text_ops` does, on strings."""

from __future__ import annotations

import re

# As there: signs that are not drawn; Cyrillic, then Greek letters above the Latin ones.
_UNSEEN = re.compile(b"|".join(sign.encode() for sign in "\u00ad\u200b\u200e\u200f\u2060\ufeff"))
_ALIKE = {
    **str.maketrans("абсԁеһіјӏорԛѕухѵԝкАВСЕНІЈКМОРЅТХУѴԌ", "abcdehijlopqsyxvwkABCEHIJKMOPSTXYVG"),
    **str.maketrans("ανορικυχγΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "avopikuxyABEZHIKMNOPTYX"),
}
_WIDE = {point: chr(point - 0xFF01 + ord("!")) for point in range(0xFF01, 0xFF5F)}
_WORD = re.compile(r"[^\x00-\x20]+")
_LATIN = re.compile(r"[A-Za-z]")
_ONE_FOR_L = re.compile(r"([a-z])1([^0-9]|\Z)")


def fold_look_alikes(text: bytes) -> bytes:
    """Writes words of a UTF-8 text that only look Latin in Latin letters."""
    wide = _UNSEEN.sub(b"", text).decode("utf-8", "replace").translate(_WIDE)
    return _ONE_FOR_L.sub(r"\1l\2", _WORD.sub(_fold_word, wide)).encode()


def _fold_word(match: re.Match[str]) -> str:
    word = match[0]
    return word.translate(_ALIKE) if _LATIN.search(word) else word
