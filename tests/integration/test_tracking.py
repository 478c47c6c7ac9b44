"""A tracked run tells the tracker of every epoch and of the figures."""

from __future__ import annotations

import json

from trainer.registry import TRACKERS
from trainer.tracking.tracker import Tracker


class NotingTracker(Tracker):
    heard: list[tuple] = []  # noqa: RUF012  of the one that the run builds

    def start(self, name, key, config, folder):
        self.heard.append(("start", name, config["train"]["head_epochs"]))

    def log_epoch(self, stage, epoch, figures):
        self.heard.append((stage, epoch, {"loss", "val_loss", "seconds"} <= set(figures)))

    def log_metrics(self, metrics):
        self.heard.append(("metrics", metrics["accuracy"]))

    def finish(self):
        self.heard.append(("finish",))


def test_a_run_is_tracked_from_start_to_finish(shop, run_arguments, call, tmp_path, monkeypatch):
    monkeypatch.setitem(TRACKERS._members, "noting", NotingTracker)
    settings = ("train.track=noting", "train.head_epochs=2", "train.study=True")
    given = [part for text in settings for part in ("--set", text)]
    done = call(*run_arguments(shop, tmp_path / "w", *given))
    assert done.code == 0, done.stderr
    metrics = json.loads((tmp_path / "w" / "metrics.json").read_text())
    # Neither the networks of the study nor the one of all rows are told of.
    assert NotingTracker.heard == [
        ("start", "w", 2),
        ("head", 1, True),
        ("head", 2, True),
        ("metrics", metrics["accuracy"]),
        ("finish",),
    ]
