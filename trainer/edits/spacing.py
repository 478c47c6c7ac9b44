"""Spaces where none belong."""

from __future__ import annotations

from trainer.edits.edit import Edit, is_ideograph
from trainer.registry import EDITS

_SHORTEST = 4


@EDITS.register("spacing")
class Spacing(Edit):
    """Parts a longer word by a space, or a sign that is not drawn; puts it after an ideograph."""

    def variants(self, word: str) -> list[str]:
        if is_ideograph(word):
            return [f"{word} ", f"{word}\u200b"]
        if len(word) < _SHORTEST:
            return []
        middle = len(word) // 2
        return [word[:middle] + sign + word[middle:] for sign in (" ", "-", "\u200b")]
