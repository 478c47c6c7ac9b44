"""The other Chinese script."""

from __future__ import annotations

import functools
from typing import Any

from trainer.edits.edit import Edit, is_ideograph
from trainer.registry import EDITS


@EDITS.register("script")
class Script(Edit):
    """Writes a simplified character in its traditional form, and the other way round."""

    def variants(self, word: str) -> list[str]:
        if not is_ideograph(word):
            return []
        found = [_converter(direction).convert(word) for direction in ("s2t", "t2s")]
        return [other for other in dict.fromkeys(found) if other != word]


@functools.cache
def _converter(direction: str) -> Any:
    from opencc import OpenCC

    return OpenCC(direction)
