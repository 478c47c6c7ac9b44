"""One line on stderr for a whole stage of training."""

from __future__ import annotations

from typing import Any

import keras

from trainer.progress import progress_bar


class Progress(keras.callbacks.Callback):
    """Shows a bar that moves with every step and names the last epoch's figures.

    Args:
        title: str.
        epochs: int. Of the stage.
        first_epoch: int. How many were done before.
        steps: int. Of an epoch.
    """

    def __init__(self, title: str, epochs: int, first_epoch: int, steps: int) -> None:
        super().__init__()
        self.steps = steps
        self.bar = progress_bar(title, epochs * steps, "step", initial=first_epoch * steps)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        # Several steps may have passed at once.
        self.bar.update(batch + 1 - self.bar.n % self.steps)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        shown = {
            name.replace("val_", "eval_"): f"{float(value):.3f}"
            for name, value in (logs or {}).items()
        }
        self.bar.set_postfix(epoch=epoch + 1, **shown)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self.bar.close()
