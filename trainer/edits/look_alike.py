"""Letters that look like others."""

from __future__ import annotations

from trainer.edits.edit import Edit
from trainer.registry import EDITS

# Latin letter to Cyrillic, Greek or a digit that most fonts draw alike.
_ALIKE = {
    "a": "\u0430",
    "c": "\u0441",
    "e": "\u0435",
    "i": "\u0456",
    "j": "\u0458",
    "l": "1",
    "o": "\u043e",
    "p": "\u0440",
    "s": "\u0455",
    "x": "\u0445",
    "y": "\u0443",
    "A": "\u0410",
    "B": "\u0412",
    "C": "\u0421",
    "E": "\u0415",
    "H": "\u041d",
    "I": "\u0406",
    "K": "\u041a",
    "M": "\u041c",
    "O": "\u041e",
    "P": "\u0420",
    "S": "\u0405",
    "T": "\u0422",
    "X": "\u0425",
}


@EDITS.register("look_alike")
class LookAlike(Edit):
    """Puts one letter, or all that can be, in place of those that look like them.

    Reference:
        Eger et al., 2019, "VIPER", arXiv:1903.11508, with a small table of
        letters that cannot be told apart.
    """

    def variants(self, word: str) -> list[str]:
        places = [at for at, letter in enumerate(word) if letter in _ALIKE]
        one = [word[:at] + _ALIKE[word[at]] + word[at + 1 :] for at in places]
        every = "".join(_ALIKE.get(letter, letter) for letter in word)
        return list(dict.fromkeys([*one, every])) if places else []
