"""Lower case as `tf.strings.lower` writes it."""

from __future__ import annotations

import re

from serving.edge.texts.unicode_versions import LATER, NOT_IN_13

# Of no case in any version: so that a sigma before it is written as at the end of a word.
_NO_LETTER = "\uffff"
_KEPT = re.compile(f"[{LATER.to_pattern()}{NOT_IN_13.to_pattern()}{_NO_LETTER}]")


def lower(text: str) -> str:
    """Returns a text in lower case, up to its first NUL, where TensorFlow's ends."""
    text = text.partition("\0")[0]
    kept = _KEPT.findall(text)
    if not kept:
        return text.lower()
    lowered = _KEPT.sub(_NO_LETTER, text).lower()
    return re.sub(_NO_LETTER, lambda _: kept.pop(0), lowered)
