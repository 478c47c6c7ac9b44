"""Functions that other processes can import, and a small cluster."""

import sys

import pytest

MODULE = '''
import os
import signal
import time
from pathlib import Path

from components.shards import attempt


def work(spec, shared):
    """Writes a file of its own; shows how often it was called."""
    calls = Path(shared["calls"])
    (calls / f"{spec['number']}-{os.getpid()}-{time.monotonic_ns()}").touch()
    if spec["number"] == shared.get("broken"):
        raise ValueError(f"The number {spec['number']} cannot be squared.")
    if spec["number"] == shared.get("deadly"):
        try:
            (calls / "killed").touch(exist_ok=False)
        except FileExistsError:
            pass
        else:
            os.kill(os.getpid(), signal.SIGKILL)
    with attempt(calls / "files" / str(spec["number"])) as path:
        path.write_text(str(spec["number"] ** 2))
    return spec["number"] ** 2
'''


@pytest.fixture(scope="session")
def importable(tmp_path_factory):
    """Puts the module `shard_work` where processes that are started later find it too."""
    folder = tmp_path_factory.mktemp("importable")
    (folder / "shard_work.py").write_text(MODULE)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        patch.setenv("PYTHONPATH", str(folder), prepend=":")
        import shard_work

        yield shard_work
    del sys.modules["shard_work"]


@pytest.fixture(scope="session")
def cluster(importable):
    """Returns a Dask cluster of two processes, which come again when they are killed."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0"
    ) as cluster:
        yield cluster
