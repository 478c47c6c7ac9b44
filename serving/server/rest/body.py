"""Bodies of requests, within bounds of size, memory and time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import http_exceptions, web

from serving.server.settings import Limits
from serving.server.status import Code, ServingError


class BodyError(ServingError):
    """A body that was not read to its end: the connection cannot be used again."""


class BodyReader:
    """Reads bodies; keeps count of the memory that all of them take.

    Args:
        limits: Of one body and of all, and the time that one may take.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._held = 0

    @asynccontextmanager
    async def read(self, request: web.BaseRequest) -> AsyncIterator[bytes]:
        """Yields the body, decompressed; its memory counts until the block ends.

        Raises:
            ServingError: if it is too large, too slow or broken, or others
                take all the memory that there is for bodies.
        """
        length = request.content_length or 0
        if length > self._limits.body:
            raise self._too_large()
        self._check_room(length)
        if request.headers.get("Expect", "").lower() == "100-continue":
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        parts: list[bytes] = []
        held = 0
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                while part := await request.content.readany():
                    held += len(part)
                    self._held += len(part)
                    if held > self._limits.body:
                        raise self._too_large()
                    self._check_room(0)
                    parts.append(part)
            yield parts[0] if len(parts) == 1 else b"".join(parts)
        except TimeoutError:
            raise BodyError(
                Code.DEADLINE_EXCEEDED,
                f"The body did not arrive within {self._limits.body_seconds:g} s.",
                http_status=408,
            ) from None
        except (web.RequestPayloadError, http_exceptions.HttpProcessingError) as error:
            raise BodyError(
                Code.INVALID_ARGUMENT,
                f"The body cannot be read: {type(error).__name__}. "
                "Check Content-Length, Content-Encoding and the chunks.",
            ) from None
        finally:
            self._held -= held

    async def skip(self, request: web.BaseRequest) -> None:
        """Reads a body that nobody wants, so that the connection can be used again."""
        async with self.read(request):
            pass

    def _check_room(self, more: int) -> None:
        if self._held + more > self._limits.bodies:
            raise BodyError(Code.UNAVAILABLE, "Too many requests are being read at the same time.")

    def _too_large(self) -> BodyError:
        return BodyError(
            Code.RESOURCE_EXHAUSTED,
            f"The body is larger than {self._limits.body} bytes. Send fewer rows at a time.",
            http_status=413,
        )
