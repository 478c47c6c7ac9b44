"""CPU time of a product on one thread: files for devices against other engines.

    python tests/benchmarks/edge.py --data products.csv --files FOLDER [--out FILE.json]

The network is that of `bert_resnet50` for titles and pictures, drawn at random; the
table has columns `title` and `image`. Engines take turns on each batch, and medians
count; all read the same products, and answers are compared with those of the float
graph. `full_integer` stands for `qat_int8`, too, whose file is the same but for its
numbers. ONNX Runtime and OpenVINO are left out where they are not installed (`pip
install --no-deps onnx onnxruntime openvino openvino-telemetry tf2onnx`), or where their
files could not be written: tf2onnx takes more than 7 GB for half of BERT. The device's
program answers the products of a batch one by one, which is faster than in one call.
Networks are written into FOLDER with an open batch axis, one process each, and used
again if they are there: 6 GB, a minute each. Exit status 1: a bar was missed.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from edge_engines import OTHERS, Engine, find_missing, load_saved_model, load_tflite
from edge_files import FILES, write_products
from table import print_table, write_figures

# Of which engine, by rows in a batch: how many times as fast as the float graph.
BARS = {
    ("dynamic_range", 1): 3.5,
    ("dynamic_range, one by one", 8): 3.1,
    ("full_integer", 1): 2.5,
    ("full_integer, one by one", 8): 2.5,
    ("dynamic_range, short texts", 1): 5.0,
}
_ROWS = 48
_THREADS = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")


def main() -> int:
    """Measures, prints a table, and writes JSON where asked to."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, metavar="TABLE")
    parser.add_argument("--files", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--repeats", type=int, default=3, help="passes over the products")
    parser.add_argument("--batch-sizes", default="1,8", metavar="N,...")
    parser.add_argument("--out", type=Path, metavar="FILE.json")
    args = parser.parse_args()
    os.environ.update(dict.fromkeys(_THREADS, "1"))  # before TensorFlow is imported
    args.files.mkdir(parents=True, exist_ok=True)
    _in_process(write_products, args.files / "products.npz", args.data, _ROWS)
    figures: dict[str, Any] = {}
    for batch_size in map(int, args.batch_sizes.split(",")):
        for name, write in FILES.items():
            path = args.files / name.format(batch_size)
            if not path.exists() and not find_missing(name):
                _in_process(write, path, batch_size)
        figures[str(batch_size)] = measure(args.files, batch_size, args.repeats)
    missed = show(figures)
    write_figures(args.out, {"rows": _ROWS, "by_batch_size": figures, "missed": missed})
    return 1 if missed else 0


def measure(files: Path, batch_size: int, repeats: int) -> dict[str, dict[str, float]]:
    """Returns speed and fidelity of each engine."""
    with np.load(files / "products.npz") as of:
        products = dict(of)
    batches = [
        {name: of[at : at + batch_size] for name, of in products.items()}
        for at in range(0, _ROWS, batch_size)
    ]
    engines = load_engines(files, batch_size)
    seconds: dict[str, list[float]] = {name: [] for name in engines}
    answers: dict[str, list[np.ndarray]] = {name: [] for name in engines}
    for engine in engines.values():  # the first answer takes longer
        engine(batches[0])
    for turn in range(repeats):
        for batch in batches:
            for name, engine in engines.items():
                began = time.process_time()
                logits = engine(batch)
                seconds[name].append((time.process_time() - began) / batch_size)
                if not turn:
                    answers[name].append(np.array(logits))
    medians = {name: statistics.median(of) for name, of in seconds.items()}
    means = {name: statistics.fmean(of) for name, of in seconds.items()}
    logits = {name: np.concatenate(of) for name, of in answers.items()}
    return {
        name: {
            "milliseconds": 1000 * medians[name],
            "mean_milliseconds": 1000 * means[name],
            "times_as_fast": medians["float graph"] / medians[name],
            **compare(logits[name], logits["float graph"]),
        }
        for name in engines
    }


def load_engines(files: Path, batch_size: int) -> dict[str, Engine]:
    """Loads whatever files there are."""
    engines: dict[str, Engine] = {"float graph": load_saved_model(files / "network")}
    for name in ("float32", "dynamic_range", "full_integer"):
        path = files / f"{name}.tflite"
        if path.exists():
            engines[name] = load_tflite(path)
            if batch_size > 1:
                engines[f"{name}, one by one"] = answer_one_by_one(engines[name])
    for name in ("dynamic_range", "full_integer"):
        if name in engines:
            engines[f"{name}, short texts"] = load_tflite(files / f"{name}.tflite", short=True)
    for name, (kinds, load) in OTHERS.items():
        paths = {
            part: files / f"{part}-{kind}-{batch_size}.onnx"
            for part, kind in {**kinds, "votes": "fixed"}.items()
        }
        lacking = [path.name for path in paths.values() if not path.exists()]
        told = find_missing("votes-fixed.onnx") or ", ".join(lacking)
        if told:
            print(f"{name} is left out: {told}.")
        else:
            engines[name] = load(paths)
    return {name: engine for name, engine in engines.items() if engine is not None}


def answer_one_by_one(engine: Engine) -> Engine:
    """Returns an engine that answers the products of a batch as the device's program does."""

    def answer(tensors: Mapping[str, np.ndarray]) -> np.ndarray:
        rows = range(len(next(iter(tensors.values()))))
        products = ({name: of[row : row + 1] for name, of in tensors.items()} for row in rows)
        return np.concatenate([engine(product) for product in products])

    return answer


def compare(logits: np.ndarray, expected: np.ndarray) -> dict[str, float]:
    """Returns how far answers are those of the float graph, of both less its mean answer."""
    centre = expected.mean(axis=0)
    own, others = logits - centre, expected - centre
    norms = np.linalg.norm(own, axis=1) * np.linalg.norm(others, axis=1)
    return {
        "agreement": float(np.mean(own.argmax(axis=1) == others.argmax(axis=1))),
        "cosine": float(np.mean(np.sum(own * others, axis=1) / norms)),
        "largest_logit_difference": float(np.abs(logits - expected).max()),
        "logit_deviation": float(expected.std(axis=0).mean()),
    }


def show(figures: Mapping[str, Mapping[str, Mapping[str, float]]]) -> list[str]:
    """Prints a table; returns the bars that were missed."""
    missed = []
    for batch_size, found in figures.items():
        rows = []
        for name, of in found.items():
            bar = BARS.get((name, int(batch_size)))
            if bar and of["times_as_fast"] < bar:
                missed.append(f"{name}, batch {batch_size}: {of['times_as_fast']:.2f} of {bar}")
            rows.append(
                [
                    name,
                    f"{of['milliseconds']:.1f}",
                    f"{of['times_as_fast']:.2f}",
                    f"{bar:.1f}" if bar else "",
                    f"{of['agreement']:.3f}",
                    f"{of['cosine']:.4f}",
                    f"{of['largest_logit_difference']:.3f}",
                ]
            )
        header = [f"batch {batch_size}", "CPU ms", "times as fast", "at least"]
        print_table([*header, "same answer", "cosine", "largest difference"], rows)
    for told in missed:
        print(f"missed: {told}")
    return missed


def _in_process(run: Callable[..., None], path: Path, *args: Any) -> None:
    """Runs in a process of its own, so that the memory is free again afterwards."""
    if path.exists():
        return
    print(f"writing {path.name}", file=sys.stderr)
    child = multiprocessing.get_context("spawn").Process(target=run, args=(path, *args))
    child.start()
    child.join()
    if child.exitcode:
        print(f"{path.name} could not be written (status {child.exitcode}).", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
