"""A model server of its own, for as long as a candidate is asked."""

from __future__ import annotations

import http.client
import json
import queue
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

_REQUEST_SECONDS = 60.0
_GRACE = 10.0
"""Seconds that the server has to end in."""
_NO_ANSWER = (OSError, http.client.HTTPException, ValueError, KeyError, TypeError)
"""What reading an answer raises that is none: cut off, no JSON, or JSON of something else."""


class ServerError(Exception):
    """The server did not start, or did not answer. The message is the same every time."""


def serve_command(model: Path) -> list[str]:
    """Returns the command that serves a version folder on free ports, to this machine alone."""
    command = [sys.executable, "-m", "trainer.cli", "serve", "--model", str(model)]
    command += ["--host", "127.0.0.1", "--port", "0", "--grpc-port", "0"]
    # Requests come one after the other: what it would gain by joining some is not measured.
    return [*command, "--join", "1", "--access-log", "", "--drain", "5"]


class CandidateServer:
    """`taxofuse serve` on free ports of this machine, as a context.

    It ends with the block, and when this process is killed.

    Args:
        model: Version folder.
        log: File for what it says.
        start_seconds: float. That it may take until it answers.

    Raises:
        ServerError: if it does not start.
    """

    def __init__(self, model: Path, log: Path, start_seconds: float) -> None:
        self._command = serve_command(model)
        self._log = log
        self._limit = start_seconds
        self.start_seconds = 0.0
        # A proxy of the environment is not for this machine.
        self._http = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def __enter__(self) -> CandidateServer:
        keeper = [sys.executable, "-m", "components.infra_validator.keeper", str(_GRACE)]
        began = time.monotonic()
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [*keeper, *self._command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        try:
            self._url = self._read_url(began + self._limit)
        except BaseException:
            self._stop()
            raise
        self.start_seconds = time.monotonic() - began
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def predict(self, instances: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Returns the predictions for some products, as the server's JSON has them.

        Raises:
            ServerError: if there is none.
        """
        body = json.dumps({"instances": instances}).encode()
        try:
            with self._http.open(self._url, body, timeout=_REQUEST_SECONDS) as response:
                return json.load(response)["predictions"]
        except urllib.error.HTTPError as error:
            raise ServerError(f"HTTP {error.code}: {_read_error(error)}") from error
        except _NO_ANSWER as error:
            raise ServerError(self._explain(error)) from error

    def memory_mb(self) -> float:
        """Returns what the server holds in memory now."""
        children = psutil.Process(self._process.pid).children(recursive=True)
        return sum(child.memory_info().rss for child in children) / 2**20

    def _explain(self, error: Exception) -> str:
        try:
            # A server that dies cuts its connections off before its end is known.
            return f"the server ended with code {self._process.wait(2.0)}"
        except subprocess.TimeoutExpired:
            return f"no answer: {type(error).__name__}"

    def _read_url(self, until: float) -> str:
        lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._listener = threading.Thread(target=self._listen, args=(lines,), daemon=True)
        self._listener.start()
        while True:
            try:
                line = lines.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                raise ServerError(f"it did not start within {self._limit:g} s") from None
            if not line:
                raise ServerError(f"it ended with code {self._process.wait()} before it answered")
            name, _, address = line.partition(" ")
            if name == "REST":
                return address.strip()

    def _listen(self, lines: queue.SimpleQueue[str]) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            lines.put(line)
        lines.put("")

    def _stop(self) -> None:
        process = self._process
        assert process.stdin and process.stdout
        process.stdin.close()  # the keeper does the rest
        process.wait(2 * _GRACE)
        self._listener.join()
        process.stdout.close()


def _read_error(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.load(error)["error"])
    except _NO_ANSWER:
        return error.reason
