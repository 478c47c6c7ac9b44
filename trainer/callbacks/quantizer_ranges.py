"""The ranges of quantizers, for TensorBoard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from trainer.layers.quantized.fake_quant import FakeQuant
from trainer.layers.quantized.folding import FoldedNorm


class QuantizerRanges(keras.callbacks.Callback):
    """Writes the ends of every range after each epoch, and which normalisations were folded.

    Args:
        folder: Of the event files.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._writer = tf.summary.create_file_writer(str(self.folder))
        layers = self.model._flatten_layers()
        folded = [layer.path for layer in layers if isinstance(layer, FoldedNorm)]
        with self._writer.as_default(step=0):
            tf.summary.text("folded", "\n".join(f"- {path}" for path in folded))

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        with self._writer.as_default(step=epoch + 1):
            for name, quantizer in find_quantizers(self.model).items():
                if quantizer.is_set and quantizer.fixed is None:
                    tf.summary.scalar(f"{name}/low", quantizer.low.value)
                    tf.summary.scalar(f"{name}/high", quantizer.high.value)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self._writer.close()


def find_quantizers(model: keras.Model) -> dict[str, FakeQuant]:
    """Returns the quantizers of a network by the path of their layer and their own name."""
    return {
        f"{layer.path}/{part.name}": part
        for layer in model._flatten_layers()
        for part in vars(layer).values()
        if isinstance(part, FakeQuant)
    }
