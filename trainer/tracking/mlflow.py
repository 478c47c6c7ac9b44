"""MLflow."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trainer.files import write_text
from trainer.overrides import flatten
from trainer.registry import TRACKERS
from trainer.tracking.tracker import Tracker, load_client, numbers


@TRACKERS.register("mlflow")
class MlflowTracker(Tracker):
    """Logs to the server and experiment of `MLFLOW_TRACKING_URI` and `MLFLOW_EXPERIMENT_NAME`."""

    def __init__(self) -> None:
        self._mlflow = load_client("mlflow", "mlflow-skinny")

    def start(self, name: str, key: str, config: Mapping[str, Any], folder: Path) -> None:
        # MLflow names runs itself; a run that is gone on with must be told by that name.
        remembered = folder / f"mlflow-{key}.txt"
        known = remembered.read_text() if remembered.is_file() else None
        run = self._mlflow.start_run(run_id=known, run_name=name)
        write_text(remembered, run.info.run_id)
        self._mlflow.log_params(dict(flatten(config)))

    def log_epoch(self, stage: str, epoch: int, figures: Mapping[str, float]) -> None:
        named = {f"{stage}/{name}": value for name, value in figures.items()}
        self._mlflow.log_metrics(named, step=epoch)

    def log_metrics(self, metrics: Mapping[str, Any]) -> None:
        self._mlflow.log_metrics(numbers(metrics))

    def finish(self) -> None:
        self._mlflow.end_run()
