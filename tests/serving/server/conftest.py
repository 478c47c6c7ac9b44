import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from serving.server.settings import BatchSettings, Limits, ModelSettings, ServerSettings

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def write_toy():
    """Returns a function that writes a version with the inputs of a classifier.

    Labels begin with the version's tag. A text of `poison` is refused from inside the
    graph. `work` is matrix products, some 0.1 ms each for each row; `weights` megabytes.
    """
    import tensorflow as tf

    def write(folder, tag="v1", *, work=0, weights=0):
        module = tf.Module()
        module.weights = tf.Variable(tf.ones([max(weights, 1), 512, 512]))
        names = tf.constant([f"{tag} class {at}" for at in range(5)])

        @tf.function(
            input_signature=[
                {
                    "image_bytes": tf.TensorSpec([None], tf.string, name="image_bytes"),
                    "text": tf.TensorSpec([None], tf.string, name="text"),
                    "price": tf.TensorSpec([None], tf.float32, name="price"),
                }
            ]
        )
        def serve(raw):
            bad = tf.reduce_any(raw["text"] == "poison")
            with tf.control_dependencies([tf.debugging.Assert(~bad, ["poison"])]):
                length = tf.cast(tf.strings.length(raw["text"]), tf.float32)
            price = tf.where(tf.math.is_nan(raw["price"]), 0.0, raw["price"])
            size = tf.cast(tf.strings.length(raw["image_bytes"]), tf.float32)
            base = length + price + 0.1 * size + module.weights[0, 0, 0] - 1.0
            scores = tf.nn.softmax(tf.sin(base[:, None] * tf.range(1.0, 6.0)[None]))
            rows = tf.ones([tf.shape(scores)[0] * 8, 512])
            for _ in range(work):
                rows = tf.tanh(rows @ module.weights[0])
            scores += 1e-30 * tf.reduce_sum(rows)
            return {
                "label": tf.gather(names, tf.argmax(scores, -1)),
                "confidence": tf.reduce_max(scores, -1),
                "scores": scores,
                "labels": tf.repeat(names[None], tf.shape(scores)[0], axis=0),
            }

        @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32, name="x")])
        def typed(x):
            return {
                "same": x,
                "whole": tf.cast(x, tf.int64),
                "positive": x > 0,
                "text_bytes": tf.strings.as_string(x[:, 0]),
            }

        @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, name="x")])
        def single(x):
            return {"y": x * 2}

        module.serve, module.typed, module.single = serve, typed, single
        tf.saved_model.save(
            module,
            str(folder),
            signatures={
                "serving_default": serve.get_concrete_function(),
                "typed": typed.get_concrete_function(),
                "single": single.get_concrete_function(),
            },
        )
        return folder

    return write


@pytest.fixture(scope="session")
def toy(tmp_path_factory, write_toy):
    """Returns a base folder with version 1."""
    base = tmp_path_factory.mktemp("toy")
    write_toy(base / "1")
    return base


@pytest.fixture(scope="session")
def settings_for():
    """Returns a function that makes settings of a model `toy`, on free ports."""

    def make(base, **changes):
        settings = ServerSettings(
            models=(ModelSettings("toy", Path(base)),),
            rest_port=0,
            grpc_port=0,
            access_log="",
            threads=2,
            poll=0.05,
            drain=10.0,
            batch=BatchSettings(max_batch=64, limit=16, queue=64),
            limits=Limits(deadline=20.0),
        )
        return replace(settings, **changes)

    return make


class Running:
    """A server in a thread of this process."""

    def __init__(self, server, loop):
        self.server = server
        self.loop = loop
        self.url = f"http://127.0.0.1:{server.rest_port}"
        self.target = f"127.0.0.1:{server.grpc_port}"

    def call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(60)

    def get(self, path, **options):
        return fetch(self.url + path, **options)

    def post(self, path, body, **options):
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        return fetch(self.url + path, body, **options)


def fetch(url, body=None, *, method=None, headers=None, timeout=60):
    """Returns status and body, parsed where it is JSON."""
    request = urllib.request.Request(url, body, headers or {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as response:
            status, content, kind = response.status, response.read(), response.headers
    except urllib.error.HTTPError as error:
        with error:
            status, content, kind = error.code, error.read(), error.headers
    is_json = kind.get_content_type() == "application/json"
    return status, json.loads(content) if is_json else content


@pytest.fixture(scope="session")
def run_server():
    """Returns a context manager that runs a server in a thread."""

    @contextmanager
    def run(settings):
        from serving.server.lifecycle import Server

        ready = threading.Event()
        box = {}

        async def main():
            box["loop"] = asyncio.get_running_loop()
            stop = box["stop"] = asyncio.Event()
            server = Server(settings)
            try:
                await server.start()
                box["server"] = server
            finally:
                ready.set()
            await stop.wait()
            box["answered"] = await server.stop()

        def work():
            try:
                with asyncio.Runner() as runner:
                    runner.run(main())
            except Exception as error:
                box["error"] = error
                ready.set()

        thread = threading.Thread(target=work)
        thread.start()
        ready.wait(60)
        if "server" not in box:
            thread.join()
            raise box["error"]
        try:
            yield Running(box["server"], box["loop"])
        finally:
            box["loop"].call_soon_threadsafe(box["stop"].set)
            thread.join(30)
            assert "error" not in box, box["error"]

    return run


@pytest.fixture(scope="module")
def running(run_server, settings_for, toy):
    """Returns a server of the toy model."""
    with run_server(settings_for(toy)) as server:
        yield server


class Process:
    """`taxofuse serve` as a process of its own."""

    def __init__(self, base, folder, options=()):
        self.log = folder / f"serve-{time.monotonic_ns()}.log"
        command = [sys.executable, "-m", "trainer.cli", "serve", "--model", str(base)]
        command += ["--name", "toy", "--port", "0", "--grpc-port", "0", *options]
        with self.log.open("wb") as log:
            self.popen = subprocess.Popen(
                command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True
            )
        self.started = time.monotonic()
        self.lines = []
        for line in self.popen.stdout:
            self.lines.append(line)
            if line.startswith("Probes"):
                break
        else:
            raise AssertionError(self.log.read_text())
        self.loaded_after = time.monotonic() - self.started
        rest = next(line for line in self.lines if line.startswith("REST")).split()[1]
        self.url = rest[: rest.index("/v1")]
        self.target = next(line for line in self.lines if line.startswith("gRPC")).split()[1]
        self.port = int(self.url.rpartition(":")[2])

    def get(self, path):
        return fetch(self.url + path)

    def post(self, path, body):
        return fetch(self.url + path, json.dumps(body).encode())

    def terminate(self):
        os.kill(self.popen.pid, signal.SIGTERM)

    def close(self):
        if self.popen.poll() is None:
            self.popen.kill()
        self.popen.wait()
        self.popen.stdout.close()


@pytest.fixture
def start_process(tmp_path):
    """Returns a function that starts `taxofuse serve`; all are ended with the test."""
    processes = []

    def start(base, *options):
        process = Process(base, tmp_path, options)
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.close()
