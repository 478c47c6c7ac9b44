"""A search on the shop: killed, gone on with, and its best configuration run."""

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

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 240
VARIED = ("--vary", "train.l2=0.1..10:log", "--vary", "model.fusion=concat|none_such")


def read_trials(workdir):
    path = workdir / "trials.json"
    return json.loads(path.read_text()) if path.is_file() else []


def arguments(run_arguments, shop, workdir, trials):
    quick = ("--set", "train.head_epochs=3", "--set", "train.study=False")
    asked = ("--folds", "2", "--trials", str(trials), *VARIED)
    return run_arguments(shop, workdir, *quick, *asked, command="tune")


@pytest.fixture(scope="module")
def tuned(shop, run_arguments, call, tmp_path_factory):
    """Kills a search in its second trial and starts it again; returns that, and what was there."""
    workdir = tmp_path_factory.mktemp("tuned") / "w"
    given = arguments(run_arguments, shop, workdir, trials=3)
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


def test_finished_trials_are_not_repeated(tuned, shop, run_arguments, call):
    finished, before = tuned
    after = read_trials(finished.folder)
    assert after[: len(before)] == before
    assert len(after) == 4
    assert finished.stderr.count("\ntrial ") == 4 - len(before)
    again = call(*arguments(run_arguments, shop, finished.folder, trials=3))
    assert again.code == 0
    assert "\ntrial " not in again.stderr
    assert again.stdout == finished.stdout
    assert read_trials(finished.folder) == after


def test_a_failing_trial_is_kept_with_its_error(tuned):
    finished, _ = tuned
    failed = [trial for trial in read_trials(finished.folder) if trial["error"]]
    assert failed, "the seed draws none"
    assert all(trial["settings"]["model.fusion"] == "none_such" for trial in failed)
    assert all("Unknown fusion" in trial["error"] for trial in failed)
    assert f"trials         3, {len(failed)} failed" in finished.stdout


def test_files_of_a_search(tuned):
    finished, _ = tuned
    with (finished.folder / "trials.csv").open(newline="") as file:
        assert [row["trial"] for row in csv.DictReader(file)] == ["0", "1", "2", "3"]
    assert "none_such" in (finished.folder / "tuning.html").read_text(encoding="utf-8")
    assert not (finished.folder / "cache" / "checkpoints").exists()
    assert not list(finished.folder.rglob(".partial-*"))


def test_the_best_configuration_runs(tuned, shop, call):
    finished, _ = tuned
    best = max(
        (trial for trial in read_trials(finished.folder) if not trial["error"]),
        key=lambda trial: trial["figures"]["accuracy"],
    )
    config = load_config(str(finished.folder / "best.py"))
    assert config.train.l2 == best["settings"].get("train.l2", 1.0)
    assert config.train.head_epochs == 3
    command = finished.stdout.splitlines()[-1].split()
    assert command[0] == "taxofuse"
    done = call(*command[1:])
    assert done.code == 0, done.stderr
    # The figures that a run reports are of rows that no trial was judged on.
    metrics = json.loads((finished.folder / "metrics.json").read_text())
    assert metrics["measured_on"].startswith("test rows")
    assert json.loads((finished.folder / "config.json").read_text())["train"]["head_epochs"] == 3


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
