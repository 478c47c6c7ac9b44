"""Words: the text columns of a row as one UTF-8 string."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trainer.data.cells import as_text
from trainer.inputs import MAX_CHARACTERS, Limits
from trainer.modalities.modality import Modality
from trainer.registry import MODALITIES

if TYPE_CHECKING:
    import tensorflow as tf

TEXT_SEPARATOR = "\n"
"""Stands between the columns; inside a cell all white space becomes blanks."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ufeff\ufffe\uffff]")


@MODALITIES.register("text")
class TextModality(Modality):
    """Joins the cells that are not empty, in the order of the columns.

    Unicode is composed (NFC), so that `é` is the same letter however it was
    typed; emoji and all scripts stay.
    """

    kind = "text"
    dtype = "string"
    absent = b""
    reads_names = True

    def read(self, cells: Sequence[object], folder: Path) -> tuple[bytes, str]:
        del folder
        texts = [clean_text(as_text(cell)) for cell in cells]
        joined = TEXT_SEPARATOR.join(text for text in texts if text)
        # A lone surrogate cannot be written as UTF-8.
        return joined[:MAX_CHARACTERS].encode("utf-8", errors="replace"), ""

    def check(self, values: tf.Tensor, limits: Limits) -> tuple[tf.Tensor, tf.Tensor]:
        from trainer.layers.text_ops import check_texts

        return check_texts(values, limits.text_characters)

    def unpack(self, value: bytes) -> str:
        return value.decode("utf-8")

    def pack(self, value: str) -> bytes:
        return value.encode("utf-8")


def clean_text(text: str) -> str:
    """Removes control characters, folds white space and composes Unicode (NFC)."""
    return " ".join(_CONTROL.sub(" ", unicodedata.normalize("NFC", text)).split())
