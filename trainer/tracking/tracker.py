"""What an experiment tracker hears of a run."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trainer.registry import TRACKERS


class Tracker:
    """Keeps nothing; members tell a service."""

    def start(self, name: str, key: str, config: Mapping[str, Any], folder: Path) -> None:
        """Opens a run, or goes on with the one of that key.

        Args:
            name: str. For people.
            key: str. The same for the same run, also in another process.
            config: The configuration, nested.
            folder: For what is to be remembered on disk.
        """

    def log_epoch(self, stage: str, epoch: int, figures: Mapping[str, float]) -> None:
        """Hears the figures of a finished epoch, counted from 1."""

    def log_metrics(self, metrics: Mapping[str, Any]) -> None:
        """Hears the figures on held-out rows, as `evaluate_answers` returns them."""

    def finish(self) -> None:
        """Closes the run."""


def build_tracker(name: str) -> Tracker:
    """Returns a registered tracker; one that keeps nothing for `""`.

    Raises:
        ValueError: for an unknown name, or where its package is not installed.
    """
    tracker: Tracker = TRACKERS.get(name)() if name else Tracker()
    return tracker


def load_client(package: str, distribution: str) -> Any:
    """Imports the package that tells a service.

    Raises:
        ValueError: where it is not installed; the message has the command.
    """
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        raise ValueError(
            f"train.track={package} needs the package {distribution}. "
            f"Install it with: pip install {distribution}"
        ) from error


def numbers(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Returns those metrics that are a single number."""
    return {name: value for name, value in metrics.items() if isinstance(value, int | float)}
