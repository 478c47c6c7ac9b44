"""Products per second of the data-parallel steps in this process and on Dask workers.

    make beam
    PYTHONPATH=. .venv-beam/bin/python tests/benchmarks/scale.py [--out FILE.json]
        [--products 1000,10000,100000] [--workers 0,1,2] [--machines 1,10,50]

Workers of 0 are this process: the engine `local`. Products are generated: nine words, a price, a
picture of 16 x 16 pixels, and for the last table, from which ten million are projected, one of
some 20 kB. Near-duplicates are found by hashes at all sizes. What is measured is a component's
`execute` in a process that has loaded its modules, with workers that have done a shard of that
step before and nothing else; memory of a worker is the most that it held. Exit status 1: it grew
by more than a quarter while the products grew a hundredfold.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
from scale_figures import Measured, growth, project, show
from scale_products import Products
from table import write_figures

_GROWTH_BAR = 1.25
_STEPS = ("example_gen", "statistics_gen", "bulk_inferrer")


class Watch:
    """Samples memory and processor time of processes."""

    def __init__(self, pids: list[int]) -> None:
        self._processes = [psutil.Process(pid) for pid in pids]
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self.memory = 0
        self._before = self._cpu()
        self._thread.start()

    def stop(self) -> float:
        """Returns the processor seconds since the beginning."""
        self._ended.set()
        self._thread.join()
        return self._cpu() - self._before

    def _sample(self) -> None:
        while not self._ended.wait(0.05):
            for process in self._processes:
                self.memory = max(self.memory, process.memory_info().rss)

    def _cpu(self) -> float:
        return sum(sum(process.cpu_times()[:2]) for process in self._processes)


def train(table: Path, workdir: Path) -> Path:
    """Trains a small model on the first products of a table."""
    frame = pd.read_csv(table, dtype=str).iloc[:400]
    few = table.with_name("few.csv")
    frame.to_csv(few, index=False)
    command = [sys.executable, "-m", "trainer.cli", "train", "--data", str(few)]
    command += ["--label", "category", "--workdir", str(workdir), "--config", "tiny"]
    command += ["--set", "train.head_epochs=2", "--set", "train.study=false"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return workdir


@contextmanager
def cluster(workers: int) -> Iterator[tuple[str, list[int]]]:
    """Yields the engine and the processes of its workers; none for 0."""
    if not workers:
        yield "local", []
        return
    from distributed import Client, LocalCluster

    with LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        processes=True,
        dashboard_address="127.0.0.1:0",
        silence_logs=logging.CRITICAL,
    ) as made:
        with Client(made) as client:
            pids = list(client.run(os.getpid).values())
        yield f"beam:dask:{made.scheduler_address}", pids


def measure(
    step: str, products: Products, model: Path, engine: str, pids: list[int], rows: int = 1000
) -> Measured:
    """Runs a step once with shards of some rows; what it makes stays in its folder."""
    output, scratch = products.folder / step, products.folder / f"{step}-scratch"
    for path in (output, scratch):
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir()
    parameters: dict[str, Any] = {"table": str(products.table), "rows_per_shard": rows}
    inputs: dict[str, str] = {}
    if step == "example_gen":
        parameters |= {"label": ["category"], "exact_rows": 0}
    elif step == "statistics_gen":
        parameters, inputs = {}, {"examples": str(products.folder / "example_gen")}
    else:
        inputs = {"model": str(model)}
    told = json.dumps([step, inputs, str(output), parameters, str(scratch)])
    watch = Watch(pids)
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("scale_step.py")), told],
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "TAXOFUSE_ENGINE": engine},
        text=True,
    )
    cpu = watch.stop()
    figures = json.loads(done.stdout.splitlines()[-1])
    shutil.rmtree(scratch)
    found = Measured(
        step=step,
        pictures=products.pictures,
        products=products.count,
        workers=len(pids),
        seconds=figures["seconds"]["all"],
        plan_seconds=figures["seconds"].get("plan", 0.0),
        read_seconds=figures["seconds"].get("read", 0.0),
        cpu_seconds=cpu if pids else figures["cpu"],
        driver_memory=figures["memory"],
        worker_memory=watch.memory if pids else figures["memory"],
    )
    print(
        f"{step}, {products.count} products, {len(pids)} workers: {found.seconds:.1f} s",
        file=sys.stderr,
    )
    return found


def measure_all(tables: list[Products], workers: list[int], model: Path) -> list[Measured]:
    """Measures all steps on all tables, from the smallest to the largest."""
    found = []
    for step in _STEPS:
        for number in workers:
            with cluster(number) as (engine, pids):
                if pids:
                    measure(step, tables[0], model, engine, pids, rows=100)
                found += [measure(step, products, model, engine, pids) for products in tables]
    return found


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def main() -> int:
    """Measures, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--products", type=_numbers, default=[1000, 10_000, 100_000])
    parser.add_argument("--usual", type=int, default=4000, help="products with pictures of 20 kB")
    parser.add_argument("--workers", type=_numbers, default=[0, 1, 2])
    parser.add_argument("--machines", type=_numbers, default=[1, 10, 50])
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    start = time.time()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        tables = []
        for pictures, count in [*(("tiny", n) for n in args.products), ("20 kB", args.usual)]:
            tables.append(Products(root / f"{pictures}-{count}", pictures, count))
            tables[-1].write()
        model = train(tables[0].table, root / "model")
        found = measure_all(tables, args.workers, model)
    projected = project(found, args.machines)
    grown = growth(found)
    write_figures(
        args.out,
        {
            "measured": [asdict(one) for one in found],
            "projected": projected,
            "assumptions": " ".join((project.__doc__ or "").split("Assumes")[1].split()),
            "worker_memory_growth": grown,
        },
    )
    show(found, projected)
    print(f"\nMemory of a worker grew {grown:.2f}-fold; {time.time() - start:.0f} s in all.")
    return int(grown > _GROWTH_BAR)


if __name__ == "__main__":
    sys.exit(main())
