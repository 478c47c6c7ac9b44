"""Numbers, such as a price: float32, NaN where there is none."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from trainer.data.cells import as_text, is_empty, parse_number
from trainer.inputs import Limits
from trainer.modalities.modality import Modality
from trainer.registry import MODALITIES

if TYPE_CHECKING:
    import tensorflow as tf

_MAX_FLOAT32 = float(np.finfo(np.float32).max)


@MODALITIES.register("number")
class NumberModality(Modality):
    """Reads the first cell that is not empty, written as people write numbers."""

    kind = "number"
    dtype = "float32"
    absent = math.nan
    leads = False

    def read(self, cells: Sequence[object], folder: Path) -> tuple[float, str]:
        del folder
        cell = next((cell for cell in cells if not is_empty(cell)), None)
        value = parse_number(cell)
        shown = as_text(cell)[:40]
        if value is None:
            return self.absent, f"not a number: {shown!r}"
        if abs(value) > _MAX_FLOAT32:
            return self.absent, f"not a finite number: {shown!r}"
        return value, ""

    def pack(self, value: float) -> float:
        return max(-_MAX_FLOAT32, min(value, _MAX_FLOAT32))

    def check(self, values: tf.Tensor, limits: Limits) -> tuple[tf.Tensor, tf.Tensor]:
        import tensorflow as tf

        del limits
        endless = tf.math.is_inf(values)
        problems = tf.where(endless, "not a finite number", "")
        return tf.where(endless, self.absent, values), problems
