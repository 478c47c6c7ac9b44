"""Requests under way: counted, logged, and waited for at the end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import cache
from types import TracebackType

from serving.server.access_log import AccessLog
from serving.server.metrics import UNKNOWN, Metrics
from serving.server.status import Code, ServingError


class Call:
    """One request; a context manager that counts and logs it at its end.

    Attributes:
        model: str. Name of a served model, or `unknown`.
        version: int or None. That answered.
        rows: int. Of the request.
        code: The status that it was answered with.
    """

    __slots__ = (
        "_calls",
        "_started",
        "code",
        "method",
        "model",
        "protocol",
        "received",
        "rows",
        "sent",
        "version",
    )

    def __init__(self, calls: Calls, protocol: str, method: str) -> None:
        self._calls = calls
        self._started = time.perf_counter()
        self.protocol = protocol
        self.method = method
        self.model = UNKNOWN
        self.version: int | None = None
        self.rows = 0
        self.code = Code.OK
        self.received = 0
        self.sent = 0

    def __enter__(self) -> Call:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self.code = (
                error.code
                if isinstance(error, ServingError)
                else Code.CANCELLED
                if isinstance(error, asyncio.CancelledError)
                else Code.INTERNAL
            )
        self._calls.end(self, time.perf_counter() - self._started)


class Calls:
    """All of them.

    Args:
        metrics: Where they are counted.
        log: Where they are written.
    """

    def __init__(self, metrics: Metrics, log: AccessLog) -> None:
        self.draining = False
        self.in_flight = 0
        self._metrics = metrics
        self._log = log
        self._idle = asyncio.Event()
        self._idle.set()
        metrics.in_flight.set_function(lambda: self.in_flight)

    def begin(self, protocol: str, method: str) -> Call:
        """Opens a request, also while draining: it has to be answered, if only by a refusal."""
        self.in_flight += 1
        self._idle.clear()
        return Call(self, protocol, method)

    def check_open(self) -> None:
        """Refuses while draining.

        Raises:
            ServingError: unavailable.
        """
        if self.draining:
            raise ServingError(Code.UNAVAILABLE, "The server is shutting down.")

    @cache  # noqa: B019  as long as the server; looking series up costs more than counting
    def _find_series(
        self, model: str, protocol: str, method: str, code: Code
    ) -> tuple[Callable[[], None], Callable[[float], None]]:
        metrics = self._metrics
        return (
            metrics.requests.labels(model, protocol, method, code.name).inc,
            metrics.seconds.labels(model, protocol, method).observe,
        )

    def end(self, call: Call, seconds: float) -> None:
        """Counts and logs a request that has been answered."""
        self.in_flight -= 1
        if not self.in_flight:
            self._idle.set()
        count, observe = self._find_series(call.model, call.protocol, call.method, call.code)
        count()
        observe(seconds)
        if self._log.enabled:
            self._log.write(
                {
                    "protocol": call.protocol,
                    "method": call.method,
                    "model": call.model,
                    "version": call.version,
                    "code": call.code.name,
                    "rows": call.rows,
                    "milliseconds": round(seconds * 1000, 3),
                    "received_bytes": call.received,
                    "sent_bytes": call.sent,
                }
            )

    async def wait_until_idle(self) -> None:
        """Returns when no request is under way."""
        await self._idle.wait()
