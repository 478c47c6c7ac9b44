"""Requests for one signature, joined into batches."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np

from serving.server.signature import Arrays, Signature
from serving.server.status import Code, ServingError, invalid
from serving.server.workers import Workers

_ROOM = 16
"""Rows that are accepted at once, however slow the model is."""
_SHORT = 0.002
"""Seconds of a run that cost less than a second thread beside it: it waits for the first."""
_OVERLOADED = 1.0
"""Seconds after a refusal in which the server counts as overloaded."""


class Waiting:
    """A request that waits for its answer."""

    __slots__ = ("expiry", "future", "inputs", "key", "queued", "rows", "since")

    def __init__(
        self, inputs: Arrays, rows: int, key: Any, future: asyncio.Future[Arrays], since: float
    ) -> None:
        self.inputs = inputs
        self.rows = rows
        self.key = key
        self.future = future
        self.since = since
        self.queued = True
        self.expiry: asyncio.TimerHandle | None = None


class Batcher:
    """Queue of one signature of one version.

    Args:
        signature: What is run.
        workers: Where.
        max_batch: int. Largest request, in rows.
        limit: int. Rows that requests are joined up to; a larger request runs alone.
        timeout: float. Seconds that a batch short of `limit` waits for more.
        queue: int. Batches that may wait; 0 for one that waits for each thread, and
            room for 16 rows under way in any case. What is accepted is then answered
            within a few runs of the model.
        observe: Called with the rows of each batch and the seconds that it ran.
    """

    def __init__(
        self,
        signature: Signature,
        workers: Workers,
        *,
        max_batch: int,
        limit: int,
        timeout: float = 0.0,
        queue: int = 0,
        observe: Callable[[int, float], None] = lambda rows, seconds: None,
    ) -> None:
        self.signature = signature
        self.max_batch = max_batch
        self.limit = min(limit, max_batch)
        self.queued_rows = 0
        self.queued = 0
        self._workers = workers
        self._timeout = timeout
        self._max_queue = queue or max(workers.threads, -(-_ROOM // self.limit) - workers.threads)
        self._running = 0
        self._running_rows = 0
        self._seconds = 0.0
        self._observe = observe
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Waiting] = deque()
        self._wake: asyncio.TimerHandle | None = None
        self._refused_until = 0.0

    @property
    def full(self) -> bool:
        """Says whether a further request would be refused.

        A batch holds up to `limit` rows, or one request that is larger; each thread runs
        one beside those that wait. A queue that takes in a burst is too long to wait in
        when there is always more than can be answered: while requests are refused, half
        of it is used.
        """
        calm = self._loop.time() >= self._refused_until
        bound = self._max_queue if calm else max(1, self._max_queue // 2)
        rows = self.queued_rows + self._running_rows
        return min(self.queued + self._running, rows / self.limit) >= bound + self._workers.threads

    def submit(self, inputs: Arrays, deadline: float) -> asyncio.Future[Arrays]:
        """Queues a request.

        Args:
            inputs: As the signature has them; checked.
            deadline: On the loop's clock. The future fails then.

        Raises:
            ServingError: if the request is too large, or the queue is full.
        """
        rows = self.signature.count_rows(inputs)
        if rows > self.max_batch:
            raise invalid(
                f"Task size {rows} is larger than maximum input batch size {self.max_batch}. "
                "Send fewer rows at a time."
            )
        if self.full:
            raise self.refuse()
        key = (
            tuple([array.shape[1:] for array in inputs.values()])
            if self.signature.batched
            else object()
        )
        waiting = Waiting(inputs, rows, key, self._loop.create_future(), self._loop.time())
        waiting.expiry = self._loop.call_at(deadline, self._expire, waiting)
        waiting.future.add_done_callback(lambda future: self._forget(waiting))
        self._waiting.append(waiting)
        self.queued += 1
        self.queued_rows += rows
        self._workers.offer(self)
        return waiting.future

    def refuse(self) -> ServingError:
        """Notes the overload and returns the error."""
        self._refused_until = self._loop.time() + _OVERLOADED
        return ServingError(
            Code.UNAVAILABLE,
            "The batch scheduling queue to which this task was submitted is full; "
            f"max_enqueued_batches is {self._max_queue}",
        )

    def take(self) -> list[Waiting] | None:
        """Returns requests to run together, or None for not yet."""
        waiting = self._waiting
        if not waiting or not self._is_due():
            return None
        if self._running and self._seconds < _SHORT and self.queued_rows < self.limit:
            return None  # `finish` asks again
        batch: list[Waiting] = []
        rows = 0
        while waiting:
            head = waiting[0]
            if head.future.done():  # expired or cancelled a moment ago
                self._leave(waiting.popleft())
                continue
            if batch and (head.key != batch[0].key or rows + head.rows > self.limit):
                break
            waiting.popleft()
            self._leave(head)
            batch.append(head)
            rows += head.rows
        self._running += len(batch)
        self._running_rows += rows
        return batch or None

    def run(self, batch: list[Waiting]) -> list[Arrays | Exception]:
        """Runs a batch; one request that fails does not fail the others."""
        if len(batch) == 1:
            return [self._call(batch[0].inputs, batch[0].rows)]
        joined = {
            name: np.concatenate([waiting.inputs[name] for waiting in batch])
            for name in batch[0].inputs
        }
        rows = sum(waiting.rows for waiting in batch)
        outputs = self._call(joined, rows)
        if isinstance(outputs, Exception):
            return [self._call(waiting.inputs, waiting.rows) for waiting in batch]
        answers: list[Arrays | Exception] = []
        start = 0
        for waiting in batch:
            end = start + waiting.rows
            answers.append({name: array[start:end] for name, array in outputs.items()})
            start = end
        return answers

    def finish(self, batch: list[Waiting], outcome: Any) -> None:
        """Hands out the answers."""
        self._running -= len(batch)
        self._running_rows -= sum(waiting.rows for waiting in batch)
        if self._waiting:
            self._workers.offer(self)
        answers = [outcome] * len(batch) if isinstance(outcome, Exception) else outcome
        for waiting, answer in zip(batch, answers, strict=True):
            if waiting.future.done():  # gone, or too late
                continue
            if isinstance(answer, Exception):
                waiting.future.set_exception(answer)
            else:
                waiting.future.set_result(answer)

    def _call(self, inputs: Arrays, rows: int) -> Arrays | Exception:
        start = time.perf_counter()
        try:
            outputs = self.signature.call(inputs)
            if self.signature.batched:
                for name, array in outputs.items():
                    if len(array) != rows:
                        raise ServingError(
                            Code.FAILED_PRECONDITION,
                            f"Output {name!r} has {len(array)} rows for {rows} of the input.",
                        )
        except Exception as error:
            return error
        seconds = time.perf_counter() - start
        self._seconds += 0.1 * (seconds - self._seconds)
        self._observe(rows, seconds)
        return outputs

    def _is_due(self) -> bool:
        if not self._timeout or self.queued_rows >= self.limit:
            return True
        due = self._waiting[0].since + self._timeout
        if due <= self._loop.time():
            return True
        if self._wake is None:
            self._wake = self._loop.call_at(due, self._awake)
        return False

    def _awake(self) -> None:
        self._wake = None
        self._workers.offer(self)

    def _expire(self, waiting: Waiting) -> None:
        if not waiting.future.done():
            waiting.future.set_exception(
                ServingError(Code.DEADLINE_EXCEEDED, "The deadline passed before the answer.")
            )

    def _leave(self, waiting: Waiting) -> None:
        if waiting.queued:
            waiting.queued = False
            self.queued -= 1
            self.queued_rows -= waiting.rows

    def _forget(self, waiting: Waiting) -> None:
        """Drops what an answered, expired or cancelled request holds."""
        if waiting.expiry is not None:
            waiting.expiry.cancel()
        if waiting.queued:
            self._waiting.remove(waiting)
            self._leave(waiting)
