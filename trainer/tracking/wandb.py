"""Weights & Biases."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trainer.registry import TRACKERS
from trainer.tracking.tracker import Tracker, load_client, numbers


@TRACKERS.register("wandb")
class WandbTracker(Tracker):
    """Logs to the project and account of wandb's own settings, such as `WANDB_PROJECT`."""

    def __init__(self) -> None:
        self._wandb = load_client("wandb", "wandb")

    def start(self, name: str, key: str, config: Mapping[str, Any], folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._wandb.init(name=name, id=key, resume="allow", config=dict(config), dir=str(folder))

    def log_epoch(self, stage: str, epoch: int, figures: Mapping[str, float]) -> None:
        named = {f"{stage}/{name}": value for name, value in figures.items()}
        self._wandb.log({f"{stage}/epoch": epoch, **named})

    def log_metrics(self, metrics: Mapping[str, Any]) -> None:
        self._wandb.log(numbers(metrics))

    def finish(self) -> None:
        self._wandb.finish()
