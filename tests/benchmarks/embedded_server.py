"""What the embedded server costs beside the model, and what joining requests gains.

    python tests/benchmarks/embedded_server.py --encoders runs/demo --tiny runs/tiny

`--encoders` is a workdir of `taxofuse run` with the packaged encoders, `--tiny` one with
`--config tiny`; each is left out if not given. The server runs in a process of its own
and is asked from this one. Where two are compared both run at the same time and are
asked in turns, so that other work on the machine meets both.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from PIL import Image
from table import print_table, write_figures

from serving.client.protocol import ModelName
from serving.load.arrivals import draw_arrivals
from serving.load.bodies import encode
from serving.load.generator import send_all
from serving.load.senders import ANSWERED, make_sender
from trainer.artefact import ModelCard, find_export
from trainer.inputs import InputSpec

ROOT = Path(__file__).parents[2]
MODEL = ModelName("taxofuse")
CLIENTS = 16
SMALL_INPUTS = (
    InputSpec("image_bytes", "image", ("image",)),
    InputSpec("text", "text", ("title",)),
    InputSpec("price", "number", ("price",)),
)


class Server:
    """`taxofuse serve` in a process of its own.

    Args:
        model: Workdir or folder of versions.
        options: Further ones of the command line.
    """

    def __init__(self, model: Path, *options: str) -> None:
        command = [sys.executable, "-m", "trainer.cli", "serve", "--model", str(model)]
        command += ["--port", "0", "--grpc-port", "0", *options]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.log = ""
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        for line in self._process.stdout:
            if line.startswith("REST"):
                self.rest = line.split()[1].partition("/v1")[0]
            if line.startswith("gRPC"):
                self.grpc = f"grpc://{line.split()[1]}"
            if line.startswith("Probes"):
                break
        for line in self._process.stderr:
            self.log += line
            if "rows joined" in line:
                break
        found = re.search(r"serving_default (\d+)", self.log)
        assert found, self.log
        self.joined = int(found[1])
        self.status = psutil.Process(self._process.pid)

    def cpu_seconds(self) -> float:
        """Returns what it has used so far."""
        times = self.status.cpu_times()
        return times.user + times.system

    def stop(self) -> None:
        """Ends it and checks how."""
        self._process.terminate()
        assert self._process.wait(60) == 0


@contextmanager
def serve(model: Path, *options: str) -> Iterator[Server]:
    """Runs a server for as long as the block."""
    server = Server(model, "--access-log", "/dev/null", *options)
    try:
        yield server
    finally:
        server.stop()


def draw_products(inputs: Sequence[InputSpec], number: int) -> list[dict[str, Any]]:
    """Returns raw values of products with a JPEG of about 20 kB and a title."""
    random = np.random.default_rng(0)
    rows = []
    for at in range(number):
        patches = random.integers(0, 255, (30, 40, 3)).astype(np.uint8)
        picture = Image.fromarray(patches).resize((320, 240), Image.Resampling.BICUBIC)
        content = io.BytesIO()
        picture.save(content, "JPEG", quality=85)
        values = {
            "image": content.getvalue(),
            "text": f"Wireless headphones number {at}, black, foldable".encode(),
            "category": b"white",
            "number": 10.0 + at,
        }
        rows.append({spec.name: values.get(spec.kind, b"") for spec in inputs})
    return rows


async def ask(url: str, bodies: Sequence[bytes], requests: int, clients: int) -> list[float]:
    """Asks with clients that wait for each answer; returns the seconds of each request."""
    seconds: list[float] = []
    async with make_sender(url, MODEL, 60) as sender:

        async def client(first: int) -> None:
            for at in range(requests // clients):
                started = time.perf_counter()
                kind = await sender.send(bodies[(first + at) % len(bodies)])
                assert kind == ANSWERED, kind
                seconds.append(time.perf_counter() - started)

        await asyncio.gather(*[client(number) for number in range(clients)])
    return seconds


def measure(
    server: Server, url: str, bodies: Sequence[bytes], requests: int, clients: int = CLIENTS
) -> dict[str, float]:
    """Returns CPU milliseconds of the server a request, requests a second and latencies."""
    cpu, wall = server.cpu_seconds(), time.perf_counter()
    seconds = asyncio.run(ask(url, bodies, requests, clients))
    wall = time.perf_counter() - wall
    return {
        "cpu_ms": (server.cpu_seconds() - cpu) / len(seconds) * 1000,
        "rate": len(seconds) / wall,
        "p50_ms": float(np.quantile(seconds, 0.5)) * 1000,
        "p99_ms": float(np.quantile(seconds, 0.99)) * 1000,
    }


def write_null_model(folder: Path) -> None:
    """Writes a SavedModel that looks at lengths only: its calls cost next to nothing."""
    import tensorflow as tf

    names = tf.constant([f"class {at}" for at in range(8)])
    raw = {
        "image_bytes": tf.TensorSpec([None], tf.string, name="image_bytes"),
        "text": tf.TensorSpec([None], tf.string, name="text"),
        "price": tf.TensorSpec([None], tf.float32, name="price"),
    }
    module = tf.Module()

    @tf.function(input_signature=[raw])
    def null(raw: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        # Of operations that never wake TensorFlow's threads, whatever the batch.
        rows = tf.shape(raw["text"])[0]
        return {
            "label": tf.fill([rows], names[0]),
            "confidence": tf.fill([rows], 1 / 8),
            "scores": tf.fill([rows, 8], 1 / 8),
            "labels": tf.fill([rows, 8], names[0]),
        }

    module.null = null
    signatures = {"serving_default": null.get_concrete_function()}
    tf.saved_model.save(module, str(folder / "1"), signatures=signatures)


def cost_of_null_model(folder: Path) -> float:
    """Returns CPU milliseconds of one call on one product, without the server."""
    code = (
        "import sys, time; from pathlib import Path\n"
        "from serving.server.loaded_model import LoadedModel\n"
        "from serving.server.warmup import absent_rows\n"
        "signature = LoadedModel(Path(sys.argv[1])).signatures['serving_default']\n"
        "rows = absent_rows(signature, 1)\n"
        "rows['image_bytes'][:] = bytes(20000)\n"
        "costs = []\n"
        "for _ in range(10):\n"
        "    start = time.process_time()\n"
        "    for _ in range(300): signature.call(rows)\n"
        "    costs.append((time.process_time() - start) / 300)\n"
        "print(min(costs[1:]) * 1000)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder / "1")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


def measure_overhead(rounds: int, requests: int) -> dict[str, Any]:
    """Measures CPU of the server for each request to a model that costs next to nothing.

    The calls of that model are in the figures: how many requests share one is not known.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_null_model(folder)
        model_ms = cost_of_null_model(folder)
        rows = draw_products(SMALL_INPUTS, 32)
        size = statistics.mean(len(row["image_bytes"]) for row in rows)
        bodies = {
            scheme: encode(rows, SMALL_INPUTS, MODEL, "serving_default", 1, scheme)
            for scheme in ("http", "grpc")
        }
        found: dict[str, list[dict[str, float]]] = {"http": [], "grpc": []}
        with serve(folder) as server:
            for at in range(rounds + 1):
                for scheme, url in (("http", server.rest), ("grpc", server.grpc)):
                    figures = measure(server, url, bodies[scheme], requests)
                    if at:  # the first round warms up
                        found[scheme].append(figures)
    return {
        "jpeg_bytes": size,
        "model_cpu_ms": model_ms,
        "rest_cpu_ms": _spread([one["cpu_ms"] for one in found["http"]]),
        "grpc_cpu_ms": _spread([one["cpu_ms"] for one in found["grpc"]]),
    }


def measure_joining(model: Path, rounds: int, requests: int, clients: int) -> dict[str, Any]:
    """Compares a server that joins requests with one that does not."""
    inputs = ModelCard.load(find_export(model)).inputs
    bodies = encode(draw_products(inputs, 64), inputs, MODEL, "serving_default", 1, "http")
    joined: list[dict[str, float]] = []
    single: list[dict[str, float]] = []
    # Every client may wait: not joined, each takes a place in the queue of its own.
    queue = ("--queue", str(clients))
    with serve(model, *queue) as first, serve(model, "--join", "1", *queue) as second:
        for at in range(rounds + 1):
            turns = [(first, joined), (second, single)]
            for server, figures in turns if at % 2 else turns[::-1]:
                one = measure(server, server.rest, bodies, requests, clients)
                if at:
                    figures.append(one)
        limit = first.joined
    pairs = list(zip(joined, single, strict=True))
    return {
        "clients": clients,
        "joined_up_to": limit,
        "rate": _spread([one["rate"] for one in joined]),
        "rate_not_joined": _spread([one["rate"] for one in single]),
        "rate_ratio": _spread([a["rate"] / b["rate"] for a, b in pairs]),
        "p50_ratio": _spread([a["p50_ms"] / b["p50_ms"] for a, b in pairs]),
        "cpu_ratio": _spread([a["cpu_ms"] / b["cpu_ms"] for a, b in pairs]),
    }


def measure_overload(model: Path, seconds: float) -> dict[str, Any]:
    """Offers three times what can be answered, after half of it."""
    inputs = ModelCard.load(find_export(model)).inputs
    bodies = encode(draw_products(inputs, 64), inputs, MODEL, "serving_default", 1, "http")

    async def offer(url: str, rate: float, seconds: float) -> dict[str, Any]:
        async with make_sender(url, MODEL, 60) as sender:
            arrivals = draw_arrivals(rate, seconds, seed=0)
            outcome = await send_all(sender, bodies, arrivals, 0, 4096)
        kinds = np.array(outcome.kind)
        latency = outcome.done - outcome.sent
        accepted, refused = latency[kinds == ANSWERED], latency[kinds != ANSWERED]
        return {
            "offered": rate,
            "kinds": {str(kind): int((kinds == kind).sum()) for kind in np.unique(kinds)},
            "accepted_p99_ms": float(np.quantile(accepted, 0.99)) * 1000,
            "refused_p50_ms": float(np.quantile(refused, 0.5)) * 1000 if len(refused) else None,
            "refused_p99_ms": float(np.quantile(refused, 0.99)) * 1000 if len(refused) else None,
        }

    with serve(model) as server:
        measure(server, server.rest, bodies, 64)
        capacity = measure(server, server.rest, bodies, 400)["rate"]
        half = asyncio.run(offer(server.rest, capacity / 2, min(seconds, 30)))
        memory = server.status.memory_info().rss
        over = asyncio.run(offer(server.rest, capacity * 3, seconds))
        grown = server.status.memory_info().rss - memory
        after = asyncio.run(offer(server.rest, capacity / 2, 5))
    return {
        "capacity": capacity,
        "half": half,
        "over": over,
        "after": after,
        "memory_grown_mb": grown / 2**20,
        "p99_ratio": over["accepted_p99_ms"] / half["accepted_p99_ms"],
    }


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def _show(spread: dict[str, float], digits: int = 2) -> list[str]:
    return [f"{spread[key]:.{digits}f}" for key in ("median", "min", "max")]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--encoders", type=Path, metavar="WORKDIR")
    parser.add_argument("--tiny", type=Path, metavar="WORKDIR")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--overload", type=float, default=60, metavar="SECONDS", help="0: none")
    parser.add_argument("--out", type=Path, metavar="FILE.json")
    args = parser.parse_args()
    figures: dict[str, Any] = {"overhead": measure_overhead(args.rounds, 3200)}
    overhead = figures["overhead"]
    rows = [
        ["CPU ms a request over REST, null model", *_show(overhead["rest_cpu_ms"], 3)],
        ["CPU ms a request over gRPC, null model", *_show(overhead["grpc_cpu_ms"], 3)],
    ]
    for name, model, requests, clients in (
        ("tiny", args.tiny, 1600, 32),
        ("encoders", args.encoders, 320, CLIENTS),
    ):
        if model is None:
            continue
        found = figures[name] = measure_joining(model, args.rounds, requests, clients)
        told = f"{name}, joined up to {found['joined_up_to']}, against not joined: "
        rows.append([told + "requests/s", *_show(found["rate_ratio"])])
        rows.append([told + "median latency", *_show(found["p50_ratio"])])
        rows.append([told + "CPU a request", *_show(found["cpu_ratio"])])
    print_table(["", "median", "min", "max"], rows)
    if args.overload and args.encoders:
        over = figures["overload"] = measure_overload(args.encoders, args.overload)
        print(
            f"Offered 3 x {over['capacity']:.0f}/s for {args.overload:g} s: "
            f"{over['over']['kinds']}; "
            f"p99 of the accepted {over['over']['accepted_p99_ms']:.0f} ms, "
            f"{over['p99_ratio']:.1f} times that of half load; refused after "
            f"{over['over']['refused_p50_ms'] or 0:.1f} ms (median); memory grew by "
            f"{over['memory_grown_mb']:.0f} MB; afterwards {over['after']['kinds']}."
        )
    write_figures(args.out, figures)


if __name__ == "__main__":
    main()
