"""The threads that run models, shared fairly by all that have work."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import deque
from typing import Any, Protocol


class Source(Protocol):
    """Something that makes up work when a thread is free."""

    def take(self) -> Any:
        """Returns the next piece of work, or None if it does not want to run yet."""

    def run(self, work: Any) -> Any:
        """Does it; called in a worker thread."""

    def finish(self, work: Any, outcome: Any) -> None:
        """Takes the outcome, or the exception; called in the loop."""


class Workers:
    """A fixed number of threads beside one event loop.

    Work is chosen only when a thread is free, so that a batch grows for as long
    as it has to wait. Sources take turns.

    Args:
        threads: int.
        loop: The event loop that everything but `Source.run` is called in.
    """

    def __init__(self, threads: int, loop: asyncio.AbstractEventLoop) -> None:
        self.threads = threads
        self._loop = loop
        self._free = threads
        self._ready: deque[Source] = deque()
        self._starting = False
        self._queue: queue.SimpleQueue[Any] = queue.SimpleQueue()
        for at in range(threads):
            threading.Thread(target=self._work, name=f"model-{at}", daemon=True).start()

    def offer(self, source: Source) -> None:
        """Tells that a source has work."""
        if source not in self._ready:
            self._ready.append(source)
        if self._free and not self._starting:
            # Once everything that the loop has at hand is read: what came together runs
            # together, and one thread is woken in place of several.
            self._starting = True
            self._loop.call_soon(self._start)

    def stop(self) -> None:
        """Ends the threads once they have done what they were given."""
        for _ in range(self.threads):
            self._queue.put(None)

    def _start(self) -> None:
        self._starting = False
        while self._free and self._ready:
            source = self._ready.popleft()
            work = source.take()
            if work is None:
                continue
            self._free -= 1
            self._queue.put((source, work))
            self._ready.append(source)  # may have more; its turn comes after the others'

    def _work(self) -> None:
        while (item := self._queue.get()) is not None:
            source, work = item
            try:
                outcome: Any = source.run(work)
            except Exception as error:
                outcome = error
            try:
                self._loop.call_soon_threadsafe(self._end, source, work, outcome)
            except RuntimeError:  # the loop has been closed: nobody waits for it any more
                return
            del item, source, work, outcome

    def _end(self, source: Source, work: Any, outcome: Any) -> None:
        self._free += 1
        self._start()
        source.finish(work, outcome)
