"""Two processes, or two devices, train one network: what one would have made."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from trainer.data.table import read_table
from trainer.predictor import Predictor

ROOT = Path(__file__).parents[2]
# Nothing is drawn in a step, because each worker would draw for itself; names of classes are
# rows, too, and batches would not divide evenly.
SETTINGS = (
    "model.dropout=0",
    "model.modality_dropout=0",
    "train.class_names=false",
    "train.head_epochs=4",
    "train.study=false",
)


@pytest.fixture
def even(shop):
    """Returns the shop with splits that batches of 8 divide evenly."""
    table = pd.read_csv(shop, dtype=str, keep_default_na=False)
    table["split"] = ["train"] * 48 + ["eval"] * 16 + ["test"] * 8
    path = shop.with_name("even.csv")
    table.to_csv(path, index=False)
    return path


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


TWO_DEVICES = """
import sys
import tensorflow as tf

(cpu,) = tf.config.list_physical_devices("CPU")
half = tf.config.LogicalDeviceConfiguration()
tf.config.set_logical_device_configuration(cpu, [half, half])
from trainer import distribution
from trainer.cli import main

distribution.find_gpus = lambda: ["CPU:0", "CPU:1"]
sys.exit(main())
"""


@pytest.fixture
def start(even, run_arguments, tmp_path):
    """Returns a function that starts a training in a process of its own."""

    def go(
        workdir, cluster=None, code="import sys; from trainer.cli import main; sys.exit(main())"
    ):
        # Of embeddings Keras clips the gradient word by word, and here that of the table.
        more = ("--ignore", "title,description", "--set", "train.refit=never")
        arguments = run_arguments(even, workdir, *more, command="train")
        for setting in SETTINGS:
            arguments += ["--set", setting]
        told = {"TF_CONFIG": json.dumps(cluster)} if cluster else {}
        log = (tmp_path / f"log-{workdir.name}-{(cluster or {}).get('task')}").open("wb")
        with log:
            return subprocess.Popen(
                [sys.executable, "-c", code, *arguments],
                cwd=ROOT,
                env={**os.environ, **told},
                stdout=log,
                stderr=log,
            )

    return go


@pytest.mark.slow
def test_the_same_network(start, even, tmp_path):
    one = start(tmp_path / "one")
    assert one.wait() == 0
    workers = [f"127.0.0.1:{port}" for port in free_ports(2)]
    processes = [
        start(
            tmp_path / "two",
            {"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}},
        )
        for index in range(2)
    ]
    processes.append(start(tmp_path / "gpus", code=TWO_DEVICES))
    told = [process.wait(600) for process in processes]
    assert told == [0, 0, 0], "".join(path.read_text()[-2000:] for path in tmp_path.glob("log-*"))
    table = read_table(even)
    names = ("one", "two", "two/workers/1", "gpus")
    alone, first, second, on_gpus = (
        Predictor(tmp_path / name).answer(table).scores for name in names
    )
    np.testing.assert_array_equal(first, second)
    np.testing.assert_allclose(first, alone, atol=1e-4)
    np.testing.assert_allclose(on_gpus, alone, atol=1e-4)
