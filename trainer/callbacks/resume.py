"""Training that goes on after a crash, and keeps its best epoch."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

import keras

from trainer.files import new_folder, write_json

_STATE = "state.json"
_WEIGHTS = "model.weights.h5"


class Resume(keras.callbacks.Callback):
    """Saves weights, optimizer and history after each epoch, whole or not at all.

    Keras' own `BackupAndRestore` writes in place, and knows nothing of the
    history or of the best epoch.

    Args:
        folder: Where the last and the best epoch are kept.
        patience: int. Epochs without a better `val_loss` before training
            stops; 0 never stops, and then the last epoch is the result.
    """

    def __init__(self, folder: Path, patience: int = 0) -> None:
        super().__init__()
        self.folder = folder
        self.patience = patience
        self.history: list[dict[str, float]] = []
        self._began = 0.0

    def restore(self, model: keras.Model) -> int:
        """Loads the last finished epoch into a compiled model.

        Returns:
            The number of epochs that are done.
        """
        if not (self.folder / "last" / _STATE).is_file():
            return 0
        self.history = json.loads((self.folder / "last" / _STATE).read_text())
        model.optimizer.build(model.trainable_variables)
        model.load_weights(self.folder / "last" / _WEIGHTS)
        return len(self.history)

    @property
    def best_epoch(self) -> int:
        """How many epochs gave the result."""
        if not self.patience or not any("val_loss" in epoch for epoch in self.history):
            return len(self.history)
        losses = [epoch["val_loss"] for epoch in self.history]
        return losses.index(min(losses)) + 1

    @property
    def is_over(self) -> bool:
        """Whether patience has run out."""
        return bool(self.patience) and len(self.history) - self.best_epoch >= self.patience

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._began = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        logs = {name: float(value) for name, value in (logs or {}).items()}
        logs["seconds"] = time.monotonic() - self._began
        rate = self.model.optimizer.learning_rate
        logs["learning_rate"] = float(keras.ops.convert_to_numpy(rate))
        self.history.append(logs)
        self._write("last")
        if self.patience and self.best_epoch == len(self.history):
            self._write("best")
        if self.is_over:
            self.model.stop_training = True

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self.load_best()

    def load_best(self) -> None:
        """Loads the weights of the best epoch where patience chose one."""
        best = self.folder / "best" / _WEIGHTS
        if self.patience and best.is_file():
            self.model.load_weights(best)

    def remove(self) -> None:
        """Removes what was kept, once the result is safe elsewhere."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write(self, name: str) -> None:
        with new_folder(self.folder / name) as temporary:
            self.model.save_weights(temporary / _WEIGHTS)
            write_json(temporary / _STATE, self.history)
