"""Training that goes on after a crash, and keeps its best epoch."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from trainer.files import new_folder, write_json

_STATE = "state.json"
_VARIABLES = "variables.npz"
_EPOCH = "epoch-{:05d}"


class Resume(keras.callbacks.Callback):
    """Saves weights, optimizer, random states and history after each epoch, whole or not at all.

    Keras' own `BackupAndRestore` writes in place, and knows nothing of the
    history, of the best epoch, or of how far dropout has drawn. Variables are
    told by their order: the folder must be that of this very model.

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
        """Loads the last finished epoch into a compiled model with a built optimizer.

        Returns:
            The number of epochs that are done.
        """
        finished = self._finished()
        if not finished:
            return 0
        folder = self.folder / _EPOCH.format(max(finished))
        state = json.loads((folder / _STATE).read_text())
        self.history = state["history"]
        _load(folder, [*model.variables, *model.optimizer.variables])
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

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        # A schedule takes many small steps: at once they are a hundred times faster.
        self._read_rate = tf.function(lambda: self.model.optimizer.learning_rate)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._began = time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        logs = {name: float(value) for name, value in (logs or {}).items()}
        logs["seconds"] = time.monotonic() - self._began
        logs["learning_rate"] = float(self._read_rate())
        self.history.append(logs)
        self._write(len(self.history))
        if self.is_over:
            self.model.stop_training = True

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self.load_best()

    def load_best(self) -> None:
        """Loads the best epoch where patience chose one; takes the averaged weights if any."""
        optimizer = self.model.optimizer
        if self.best_epoch < len(self.history):
            folder = self.folder / _EPOCH.format(self.best_epoch)
            _load(folder, [*self.model.variables, *optimizer.variables])
        optimizer.finalize_variable_values(self.model.trainable_variables)

    def _finished(self) -> list[int]:
        folders = self.folder.glob("epoch-*") if self.folder.is_dir() else ()
        return [int(folder.name.removeprefix("epoch-")) for folder in folders]

    def _write(self, epoch: int) -> None:
        with new_folder(self.folder / _EPOCH.format(epoch)) as temporary:
            variables = [*self.model.variables, *self.model.optimizer.variables]
            np.savez(temporary / _VARIABLES, *[variable.numpy() for variable in variables])
            write_json(temporary / _STATE, {"history": self.history})
        # The new epoch is there before an old one goes: at no time is there none.
        for other in self._finished():
            if other not in (epoch, self.best_epoch):
                shutil.rmtree(self.folder / _EPOCH.format(other), ignore_errors=True)


def _load(folder: Path, variables: Sequence[keras.Variable]) -> None:
    """Gives variables the values that the first ones had when the folder was written."""
    with np.load(folder / _VARIABLES) as arrays:
        for index, variable in enumerate(variables):
            variable.assign(arrays[f"arr_{index}"])
