"""Lower case as `tf.strings.lower` writes it."""

from __future__ import annotations

import re

from serving.edge.texts.unicode_versions import LATER, NOT_LOWERED

_NOT_LOWERED = re.compile(f"([{NOT_LOWERED}]+)")


def lower(text: str) -> str:
    """Returns a text in lower case, up to its first NUL, where TensorFlow's ends."""
    text = text.partition("\0")[0]
    if text.isascii():
        return text.lower()
    if any(ord(letter) in LATER for letter in set(text)):
        return "".join(map(_lower_known, text))
    parts = _NOT_LOWERED.split(text)
    parts[::2] = [part.lower() for part in parts[::2]]
    return "".join(parts)


def _lower_known(letter: str) -> str:
    return letter if ord(letter) in LATER or _NOT_LOWERED.match(letter) else letter.lower()
