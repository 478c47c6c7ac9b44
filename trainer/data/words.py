"""The words of a text, where they stand."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

# Chinese and Japanese are written without spaces: each ideograph and kana is a word of its own.
_UNSPACED = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{_UNSPACED}]|[^\s{_UNSPACED}]+")


def map_words(text: str, change: Callable[[list[str]], list[str]]) -> str:
    """Puts other words in the place of those of each line.

    Args:
        text: Lines of words.
        change: From the words of a line to as many words; an empty one is left
            out with the space before it.

    Returns:
        The text with single spaces; the same text where no word changes.
    """
    return "\n".join(_map_line(line, change) for line in text.split("\n"))


def take_words(text: str) -> list[str]:
    """Returns the words of all lines."""
    return _WORD.findall(text)


def put_words(text: str, words: Sequence[str]) -> str:
    """Puts other words in the place of those that `take_words` gives, see `map_words`."""
    left = iter(words)
    return map_words(text, lambda line: [next(left) for _ in line])


def _map_line(line: str, change: Callable[[list[str]], list[str]]) -> str:
    words, gaps = _WORD.findall(line), _WORD.split(line)
    if not words:
        return line
    changed = [part for pair in zip(gaps, [*change(words), ""], strict=True) for part in pair]
    return " ".join("".join(changed).split())
