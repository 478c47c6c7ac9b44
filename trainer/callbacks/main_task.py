"""Figures of the main task under their usual names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras


class MainTask(keras.callbacks.Callback):
    """Makes `loss` and `accuracy` those of the votes alone, beside auxiliary losses by name.

    Keras' own `loss` is the sum of all. Must come before callbacks that read them.

    Args:
        weights: Weights of the auxiliary losses by output.
    """

    def __init__(self, weights: Mapping[str, float]) -> None:
        super().__init__()
        self.weights = weights

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        assert logs is not None
        for prefix in ("", "val_"):
            if f"{prefix}votes_loss" not in logs:
                continue
            # What is left has the penalty on the weights in it, as without objectives.
            for name, weight in self.weights.items():
                logs[f"{prefix}loss"] -= weight * logs[f"{prefix}{name}_loss"]
            del logs[f"{prefix}votes_loss"]
            logs[f"{prefix}accuracy"] = logs.pop(f"{prefix}votes_accuracy")
