"""Categories: one of a few values, such as a colour, as a UTF-8 string."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trainer.data.cells import as_text
from trainer.inputs import Limits
from trainer.modalities.modality import Modality
from trainer.registry import MODALITIES

if TYPE_CHECKING:
    import tensorflow as tf


@MODALITIES.register("category")
class CategoryModality(Modality):
    """Reads the first cell that is not empty; upper and lower case differ."""

    kind = "category"
    dtype = "string"
    absent = b""
    leads = False

    def read(self, cells: Sequence[object], folder: Path) -> tuple[bytes, str]:
        del folder
        value = next((text for text in map(as_text, cells) if text), "")
        return value.encode("utf-8", errors="replace"), ""

    def check(self, values: tf.Tensor, limits: Limits) -> tuple[tf.Tensor, tf.Tensor]:
        from trainer.layers.text_ops import check_texts

        return check_texts(values, limits.text_characters)
