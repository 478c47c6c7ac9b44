"""A killed run goes on from its last finished epoch, to the same end."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest

from trainer.data.table import read_table
from trainer.predictor import Predictor

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
EPOCHS = 12
PATIENCE_SECONDS = 240


def finished_epochs(workdir):
    """Returns how many epochs the first training that is found has behind it."""
    epochs = (workdir / "pipeline").glob(".scratch/*/cache/checkpoints/*/head/epoch-*")
    return max((int(path.name.removeprefix("epoch-")) for path in epochs), default=0)


def kill_during_training(arguments, workdir):
    """Starts a run, kills it after its first checkpoint; returns the number of finished epochs."""
    command = [sys.executable, "-m", "trainer.cli", *arguments]
    log = workdir.with_suffix(".log")
    with log.open("w") as stderr:
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=stderr)
        deadline = time.monotonic() + PATIENCE_SECONDS
        try:
            while not finished_epochs(workdir):
                assert process.poll() is None, log.read_text()[-3000:]
                assert time.monotonic() < deadline, "no checkpoint in time"
                time.sleep(0.002)
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
    return finished_epochs(workdir)


@pytest.fixture(scope="module")
def resumed(shop, run_arguments, call, tmp_path_factory):
    """Kills a run and runs it again; returns that, when it was killed, and where fits began."""
    workdir = tmp_path_factory.mktemp("killed") / "w"
    arguments = run_arguments(shop, workdir)
    done_before = kill_during_training(arguments, workdir)
    first_epochs = []
    with pytest.MonkeyPatch.context() as patched:
        fit = keras.Model.fit

        def spy(self, *args, initial_epoch=0, **options):
            first_epochs.append(initial_epoch)
            return fit(self, *args, initial_epoch=initial_epoch, **options)

        patched.setattr(keras.Model, "fit", spy)
        finished = call(*arguments, folder=workdir)
    assert finished.code == 0, finished.stderr
    return finished, done_before, first_epochs


def test_goes_on_from_the_last_finished_epoch(resumed):
    _, done_before, first_epochs = resumed
    assert 0 < done_before < EPOCHS, "the run was not killed during its first training"
    # The trainings after the first, for the study and on all rows, were never begun.
    assert first_epochs[0] == done_before
    assert len(first_epochs) > 1
    assert set(first_epochs[1:]) == {0}


def test_ends_with_the_same_files(resumed, trained):
    def names(folder):
        files = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
        # TensorBoard's files are named by time and process; a resumed run has one more. Steps
        # have numbers.
        return {str(path) for path in files if path.parts[0] not in ("logs", "pipeline")}

    finished, _, _ = resumed
    assert names(finished.folder) == names(trained.folder)
    assert not list(finished.folder.rglob(".partial-*"))


def test_ends_with_the_same_figures_and_answers(resumed, trained, shop):
    finished, _, _ = resumed
    found, expected = (
        json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
        for folder in (finished.folder, trained.folder)
    )
    for name in ("accuracy", "macro_f1", "log_loss", "expected_calibration_error"):
        assert found[name] == pytest.approx(expected[name], abs=1e-3), name
    for row, other in zip(found["study"], expected["study"], strict=True):
        assert row["accuracy"] == pytest.approx(other["accuracy"], abs=1e-6)
    table = read_table(shop)
    scores = [Predictor(done.folder).answer(table).scores for done in (finished, trained)]
    np.testing.assert_allclose(*scores, atol=1e-3)
