"""A process that does one step after another, and ends with the runner.

Steps run outside of the runner, so that one that is killed or runs out of memory takes nothing
with it. TensorFlow is loaded once for all steps of a worker.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import queue
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any


class StepFailed(Exception):
    """A step raised, or its process ended. The message is for people."""


@dataclass(frozen=True)
class Step:
    """What is to be done.

    Args:
        package: Of the component, with `component.py` and `executor.py`.
        inputs: Folders, or `None`, by name.
        outputs: New folders by name.
        parameters: As JSON.
        scratch: Folder.
    """

    package: str
    inputs: Mapping[str, Path | None]
    outputs: Mapping[str, Path]
    parameters: str
    scratch: Path

    def do(self) -> dict[str, dict[str, Any]]:
        """Calls the executor in this process; returns properties by output."""
        component = importlib.import_module(f"{self.package}.component").COMPONENT
        parameters = component.make_parameters(json.loads(self.parameters))
        execute = importlib.import_module(component.executor).execute
        return execute(self.inputs, self.outputs, parameters, self.scratch) or {}

    def to_json(self) -> str:
        """Returns one line, which `from_json` reads."""
        return json.dumps(asdict(self), default=str)

    @classmethod
    def from_json(cls, line: str) -> Step:
        """Returns the step of a line."""
        told = json.loads(line)
        inputs = {name: path and Path(path) for name, path in told["inputs"].items()}
        outputs = {name: Path(path) for name, path in told["outputs"].items()}
        scratch = Path(told["scratch"])
        return cls(told["package"], inputs, outputs, told["parameters"], scratch)


class Worker:
    """A process for steps, started at the first.

    Args:
        python: Whose process; it has this project and all that steps need.
        environment: Its variables; those of this process by default.
    """

    def __init__(
        self, python: str = sys.executable, environment: Mapping[str, str] | None = None
    ) -> None:
        self._python = python
        self._environment = environment
        self._process: subprocess.Popen[str] | None = None
        self._stopped = False
        self._lock = threading.Lock()

    def execute(self, step: Step) -> dict[str, dict[str, Any]]:
        """Does a step; returns its properties by output.

        Raises:
            StepFailed: with what went wrong.
        """
        process = self._start()
        assert process.stdin and process.stdout
        try:
            process.stdin.write(step.to_json() + "\n")
            process.stdin.flush()
            answer = process.stdout.readline()
        except OSError:
            answer = ""
        if not answer.endswith("\n"):
            process.communicate()
            raise StepFailed(_describe_end(process.returncode))
        told = json.loads(answer)
        if "error" in told:
            raise StepFailed(told["error"])
        return told["properties"]

    def stop(self) -> None:
        """Ends the process, also in the middle of a step. No other is started."""
        with self._lock:
            self._stopped = True
            process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    def _start(self) -> subprocess.Popen[str]:
        with self._lock:
            if self._stopped:
                raise StepFailed("It was stopped before it began.")
            if self._process is None or self._process.poll() is not None:
                self._process = subprocess.Popen(
                    [self._python, "-m", "components.worker"],
                    env=self._environment,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            return self._process


def describe_error(error: Exception) -> str:
    """Returns what went wrong, for people: what is not meant for them has its type before it."""
    if isinstance(error, StepFailed | ValueError | FileNotFoundError):
        return str(error)
    return f"{type(error).__name__}: {error}"


def _describe_end(code: int) -> str:
    if code >= 0:
        return f"Its process ended with code {code}."
    why = ": there may be too little memory" if code == -signal.SIGKILL else ""
    return f"Its process was killed by signal {-code}{why}."


def main() -> None:
    """Answers requests, a line of JSON each, until there are no more."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # What steps print is for people.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    for name in ("tensorflow", "absl", "h5py", "matplotlib"):
        logging.getLogger(name).setLevel(logging.ERROR)
    requests: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(sys.stdin, requests), daemon=True).start()
    while True:
        print(json.dumps(_execute(requests.get())), file=answers, flush=True)


def _listen(lines: IO[str], requests: queue.SimpleQueue[str]) -> None:
    for line in lines:
        requests.put(line)
    # The runner is gone: what is under way would be nobody's.
    os._exit(1)


def _execute(line: str) -> dict[str, Any]:
    try:
        return {"properties": Step.from_json(line).do()}
    except Exception as error:
        if not isinstance(error, ValueError | FileNotFoundError):
            traceback.print_exc()
        return {"error": describe_error(error)}


if __name__ == "__main__":
    main()
