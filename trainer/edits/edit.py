"""What every edit answers: a word -> other ways to write it."""

from __future__ import annotations

import abc


class Edit(abc.ABC):
    """Writes a word so that a reader still knows it, or as one of like meaning.

    A member is registered with `@EDITS.register(name)` and takes no arguments.
    """

    @abc.abstractmethod
    def variants(self, word: str) -> list[str]:
        """Returns other ways to write a word, most alike first.

        Args:
            word: Characters without a space; a single ideograph where the
                script has no spaces.

        Returns:
            None of them the word itself; empty where the edit does not know it.
        """


def is_ideograph(word: str) -> bool:
    """Says whether a word is a single Chinese character."""
    return len(word) == 1 and "\u4e00" <= word <= "\u9fff"
