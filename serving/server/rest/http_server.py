"""aiohttp's server, with a bound on how long a header may take."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from serving.server.settings import Limits

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class HttpServer(web.Server):
    """Makes connections whose headers must arrive in time.

    Below the level of an aiohttp application: routes, middlewares and signals
    would cost more for each request than reading its JSON does.

    Args:
        handler: Answers every request.
        limits: Times.
    """

    def __init__(self, handler: Handler, limits: Limits) -> None:
        self._options: dict[str, Any] = {
            "keepalive_timeout": limits.idle_seconds,
            "access_log": None,
            # Nobody waits for the answer of a closed connection.
            "lingering_time": 1.0,
        }
        super().__init__(handler, handler_cancellation=True, **self._options)
        self._header_seconds = limits.header_seconds
        self._loop_of_server = asyncio.get_running_loop()
        self.handler = handler

    def __call__(self) -> Connection:
        return Connection(self, self._loop_of_server, self._header_seconds, self._options)


class Connection(web.RequestHandler):
    """One connection. A client that sends its header byte by byte is cut off."""

    __slots__ = ("_answering", "_header_seconds", "_timer")

    def __init__(
        self,
        server: HttpServer,
        loop: asyncio.AbstractEventLoop,
        header_seconds: float,
        options: dict[str, Any],
    ) -> None:
        super().__init__(server, loop=loop, **options)
        self._header_seconds = header_seconds
        self._answering = False
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        if self._timer is None and not self._answering:
            self._wait()
        super().data_received(data)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._arrived()
        super().connection_lost(exc)

    def begin_answer(self) -> None:
        """Tells that the header of a request is there."""
        self._answering = True
        self._arrived()

    def end_answer(self) -> None:
        """Tells that the next data belongs to the next request."""
        self._answering = False

    def _wait(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._header_seconds, self._give_up)

    def _arrived(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        self._timer = None
        if self.transport is not None:
            self.transport.abort()


def time_headers(handler: Handler) -> Handler:
    """Tells a `Connection` when a request's header has come and when it is answered."""

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        connection = request.protocol
        assert isinstance(connection, Connection)
        connection.begin_answer()
        try:
            return await handler(request)
        finally:
            connection.end_answer()

    return answer
