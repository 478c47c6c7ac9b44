"""One line of JSON for each request, without anything of the product."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import deque
from pathlib import Path
from typing import IO, Any

import orjson

_MAX_LINES = 100_000
"""That wait to be written; a reader that stalls must not fill the memory."""


class AccessLog:
    """Writes from a thread of its own, so that a slow disk or pipe delays no answer.

    Args:
        target: `-` for stderr, a file to append to, or empty for none.
        interval: float. Seconds between writes.

    Raises:
        OSError: if the file cannot be opened.
    """

    def __init__(self, target: str, interval: float = 0.2) -> None:
        self.enabled = bool(target)
        self._lines: deque[dict[str, Any]] = deque(maxlen=_MAX_LINES)
        self._file = _open(target) if target else None
        self._interval = interval
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="access-log", daemon=True)
        if self._file is not None:
            self._thread.start()

    def write(self, line: dict[str, Any]) -> None:
        """Queues a line; the time is added."""
        line["time"] = time.time()
        self._lines.append(line)

    def close(self) -> None:
        """Writes what is left."""
        if self._file is not None:
            self._stop.set()
            self._thread.join(timeout=2)
            self._file.close()

    def _work(self) -> None:
        while not self._stop.wait(self._interval):
            self._flush()
        self._flush()

    def _flush(self) -> None:
        assert self._file is not None
        try:
            while self._lines:
                self._file.write(orjson.dumps(self._lines.popleft()) + b"\n")
            self._file.flush()
        except OSError:  # a full disk or a closed pipe costs the lines, not the server
            self._lines.clear()


def _open(target: str) -> IO[bytes]:
    if target == "-":
        return os.fdopen(os.dup(sys.stderr.fileno()), "wb")
    return Path(target).open("ab")
