"""A pipeline that is killed over and over ends with what an uninterrupted one makes."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from components.commands.workdir import SERVING
from components.content import fingerprint
from components.metadata import FILE, Metadata, State

ROOT = Path(__file__).parents[2]
TIMED = {("ModelTrainer", "model_run")}
"""Outputs that say how long something took."""


@pytest.mark.slow
def test_the_same_artifacts(shop, run_arguments, tmp_path):
    def start(workdir):
        arguments = run_arguments(shop, workdir, "--param", "Evaluator.min_examples=1")
        return subprocess.Popen(
            [sys.executable, "-m", "trainer.cli", "pipeline", *arguments],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    assert start(tmp_path / "whole").wait() == 0
    drawn = random.Random(0)
    stopped = 0
    for _ in range(10):
        process = start(tmp_path / "killed")
        try:
            process.wait(drawn.uniform(0.5, 12))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            stopped += process.wait() == -signal.SIGKILL
    assert stopped >= 3
    assert start(tmp_path / "killed").wait() == 0
    whole, killed = (read(tmp_path / name) for name in ("whole", "killed"))
    assert whole.keys() == killed.keys()
    assert {key for key in whole if whole[key] != killed[key]} <= TIMED
    assert fingerprint([tmp_path / "whole" / SERVING]) == fingerprint(
        [tmp_path / "killed" / SERVING]
    )


def read(workdir):
    """Returns fingerprints by step and output, once nothing else is found on disk."""
    metadata = Metadata(workdir / "pipeline" / FILE)
    assert not metadata.executions(State.RUNNING)
    known = {artifact.uri for artifact in metadata.artifacts()}
    on_disk = {path for path in (workdir / "pipeline").glob("[!.]*/*/*") if path.is_dir()}
    assert on_disk == known
    found = {
        (execution.node, name): artifact.fingerprint
        for execution, _ in metadata.executions_of(metadata.runs()[-1].id)
        for name, artifact in metadata.outputs(execution.id).items()
    }
    metadata.close()
    return found
