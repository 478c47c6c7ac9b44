"""With modules in place of the services' own that note how they are called."""

from __future__ import annotations

import dataclasses
import sys
from types import SimpleNamespace
from unittest.mock import Mock, call

import pytest

from trainer.config import load_config
from trainer.registry import TRACKERS
from trainer.tracking.tracker import build_tracker

CONFIG = dataclasses.asdict(load_config("tiny"))
METRICS = {"accuracy": 0.9, "num_examples": 7, "per_class": {}, "measured_on": "test rows"}


def track(folder):
    """Returns a started tracker after an epoch, the metrics and the end."""

    def make(name):
        tracker = build_tracker(name)
        tracker.start("mine", "abc", CONFIG, folder / "logs")
        tracker.log_epoch("head", 2, {"loss": 1.5})
        tracker.log_metrics(METRICS)
        tracker.finish()

    return make


def test_wandb_hears_of_everything(tmp_path, monkeypatch):
    wandb = Mock()
    monkeypatch.setitem(sys.modules, "wandb", wandb)
    track(tmp_path)("wandb")
    assert wandb.mock_calls == [
        call.init(name="mine", id="abc", resume="allow", config=CONFIG, dir=str(tmp_path / "logs")),
        call.log({"head/epoch": 2, "head/loss": 1.5}),
        call.log({"accuracy": 0.9, "num_examples": 7}),
        call.finish(),
    ]
    assert (tmp_path / "logs").is_dir()


def test_mlflow_hears_of_everything_and_goes_on_with_its_run(tmp_path, monkeypatch):
    mlflow = Mock()
    mlflow.start_run.return_value = SimpleNamespace(info=SimpleNamespace(run_id="r1"))
    monkeypatch.setitem(sys.modules, "mlflow", mlflow)
    track(tmp_path)("mlflow")
    params = mlflow.log_params.call_args.args[0]
    assert params["train.l2"] == 1.0
    assert params["model.encoders.text.ngram.dim"] == 64
    assert mlflow.mock_calls == [
        call.start_run(run_id=None, run_name="mine"),
        call.log_params(params),
        call.log_metrics({"head/loss": 1.5}, step=2),
        call.log_metrics({"accuracy": 0.9, "num_examples": 7}),
        call.end_run(),
    ]
    track(tmp_path)("mlflow")
    assert mlflow.start_run.call_args == call(run_id="r1", run_name="mine")


@pytest.mark.parametrize("name", TRACKERS.names())
def test_a_missing_package_is_named_with_its_remedy(name, monkeypatch):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ValueError, match=rf"train\.track={name} needs .*pip install {name}"):
        build_tracker(name)


def test_an_unknown_tracker_is_refused():
    with pytest.raises(ValueError, match=r"Unknown tracker.*Did you mean 'wandb'"):
        build_tracker("wandbb")


def test_no_tracker_keeps_nothing(tmp_path):
    track(tmp_path)("")
    assert list(tmp_path.iterdir()) == []
