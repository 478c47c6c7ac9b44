"""A search on the shop: killed, gone on with, and its best configuration run and tracked."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from trainer.config import load_config
from trainer.registry import TRACKERS
from trainer.tracking.tracker import Tracker

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 240
VARIED = ("--vary", "train.l2=0.1..10:log", "--vary", "model.fusion=concat|none_such")


def read_trials(workdir):
    path = workdir / "trials.json"
    return json.loads(path.read_text()) if path.is_file() else []


def arguments(run_arguments, shop, workdir):
    quick = ("--set", "train.head_epochs=3", "--ignore", "picture,price,colour")
    asked = ("--folds", "2", "--trials", "2", *VARIED)
    return run_arguments(shop, workdir, *quick, *asked, command="tune")


@pytest.fixture(scope="module")
def tuned(shop, run_arguments, call, tmp_path_factory):
    """Kills a search in its last trial and starts it again; returns that, and what was there."""
    workdir = tmp_path_factory.mktemp("tuned") / "w"
    given = arguments(run_arguments, shop, workdir)
    log = workdir.with_suffix(".log")
    with log.open("w") as stderr:
        command = [sys.executable, "-m", "trainer.cli", *given]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=stderr)
        deadline = time.monotonic() + PATIENCE_SECONDS
        try:
            while len(read_trials(workdir)) < 2:
                assert process.poll() is None, log.read_text()[-3000:]
                assert time.monotonic() < deadline, "no trial in time"
                time.sleep(0.01)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
    before = read_trials(workdir)
    finished = call(*given, folder=workdir)
    assert finished.code == 0, finished.stderr
    return finished, before


@pytest.mark.slow
def test_finished_trials_are_not_repeated(tuned, shop, run_arguments, call):
    finished, before = tuned
    after = read_trials(finished.folder)
    assert after[: len(before)] == before
    assert len(after) == 3
    assert finished.stderr.count("\ntrial ") == 3 - len(before) == 1
    again = call(*arguments(run_arguments, shop, finished.folder))
    assert again.code == 0
    assert "\ntrial " not in again.stderr
    assert again.stdout == finished.stdout
    assert read_trials(finished.folder) == after


@pytest.mark.slow
def test_a_failing_trial_is_kept_with_its_error(tuned):
    finished, _ = tuned
    _, failed, measured = read_trials(finished.folder)
    assert failed["settings"]["model.fusion"] == "none_such"
    assert "Unknown fusion" in failed["error"]
    assert measured["figures"].keys() == {"accuracy", "macro_f1", "log_loss"}
    assert "trials         2, 1 failed" in finished.stdout


@pytest.mark.slow
def test_files_of_a_search(tuned):
    finished, _ = tuned
    with (finished.folder / "trials.csv").open(newline="") as file:
        assert [row["trial"] for row in csv.DictReader(file)] == ["0", "1", "2"]
    assert "none_such" in (finished.folder / "tuning.html").read_text(encoding="utf-8")
    assert not (finished.folder / "cache" / "checkpoints").exists()
    assert not list(finished.folder.rglob(".partial-*"))


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


@pytest.mark.slow
def test_the_best_configuration_runs_and_can_be_tracked(tuned, call, monkeypatch):
    finished, _ = tuned
    best = max(
        (trial for trial in read_trials(finished.folder) if not trial["error"]),
        key=lambda trial: trial["figures"]["accuracy"],
    )
    config = load_config(str(finished.folder / "best.py"))
    assert config.train.l2 == best["settings"].get("train.l2", 1.0)
    monkeypatch.setitem(TRACKERS._members, "noting", NotingTracker)
    command = finished.stdout.splitlines()[-1].split()
    assert command[0] == "taxofuse"
    done = call(*command[1:], "--set", "train.track=noting")
    assert done.code == 0, done.stderr
    metrics = json.loads((finished.folder / "metrics.json").read_text())
    # Of rows that no trial was judged on.
    assert metrics["measured_on"].startswith("test rows")
    # The network of all rows, trained last, is not told of.
    assert NotingTracker.heard == [
        ("start", "w", 3),
        *(("head", epoch, True) for epoch in (1, 2, 3)),
        ("metrics", metrics["accuracy"]),
        ("finish",),
    ]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (("--vary", "train.l3=1..2"), "--vary train.l3=1..2: Unknown setting"),
        (("--trials", "0"), "--trials must be at least 1"),
        (("--folds", "1"), "--folds must be at least 2"),
        (("--minutes", "nan"), "--minutes must be above 0"),
        (("--folds", "60"), "At most"),
    ],
)
def test_wrong_calls_are_refused(shop, run_arguments, call, tmp_path, wrong, message):
    done = call(*run_arguments(shop, tmp_path / "w", *wrong, command="tune"))
    assert done.code == 2
    assert message in done.stderr
