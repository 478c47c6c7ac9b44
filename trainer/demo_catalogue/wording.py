"""The form of the phrase books and the marks in their phrases."""

from __future__ import annotations

import re
from dataclasses import dataclass

_MARK = re.compile(r"\[([^\[\]]+)\]")


@dataclass(frozen=True)
class Topic:
    """What products of one purpose are said to be and do.

    Square brackets mark the words that decide the topic: `"Counts [laps]."`.
    Nothing here names or hints at the shape of the product.

    Args:
        names: What a title calls the product.
        sentences: What a description says; `{n}` becomes a number, `{few}` a small one.
        range_name: Name of such products where another product's text mentions them.
    """

    names: tuple[str, ...]
    sentences: tuple[str, ...]
    range_name: str


@dataclass(frozen=True)
class PhraseBook:
    """All that is said in one language, whatever the topic.

    Args:
        topics: Vocabulary by topic.
        brands: Invented makers.
        adjectives: Praise for titles.
        titles: Patterns with `{brand} {model} {adjective} {name} {colour}`.
        openings: First sentences with `{brand} {model}`.
        fillers: Sentences that say nothing about the class, with `{n}` and `{few}`.
        mentions: Sentences with `{range}` that name products of another topic.
        edits: Sentences that tell a near-duplicate from its original.
        joint: What stands between two sentences.
    """

    topics: dict[str, Topic]
    brands: tuple[str, ...]
    adjectives: tuple[str, ...]
    titles: tuple[str, ...]
    openings: tuple[str, ...]
    fillers: tuple[str, ...]
    mentions: tuple[str, ...]
    edits: tuple[str, ...]
    joint: str


def strip_marks(marked: str) -> str:
    """Returns the text without the square brackets."""
    return _MARK.sub(r"\1", marked)


def marked_words(marked: str) -> tuple[str, ...]:
    """Returns what stands in square brackets, each once, in order."""
    return tuple(dict.fromkeys(_MARK.findall(marked)))
