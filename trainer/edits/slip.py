"""Slips of the finger."""

from __future__ import annotations

from trainer.edits.edit import Edit
from trainer.registry import EDITS

_SHORTEST = 4


@EDITS.register("slip")
class Slip(Edit):
    """Swaps two letters of a longer word, leaves one out, or doubles one; the first stays.

    Reference:
        Belinkov and Bisk, 2018, arXiv:1711.02173, and Pruthi et al., 2019,
        arXiv:1905.11268.
    """

    def variants(self, word: str) -> list[str]:
        if len(word) < _SHORTEST or not word.isascii():
            return []
        inner = range(1, len(word) - 1)
        swapped = [word[:at] + word[at + 1] + word[at] + word[at + 2 :] for at in inner]
        shortened = [word[:at] + word[at + 1 :] for at in inner]
        doubled = [word[:at] + word[at] + word[at:] for at in inner]
        found = dict.fromkeys([*swapped, *shortened, *doubled])
        return [variant for variant in found if variant != word]
