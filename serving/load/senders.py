"""One request over REST or gRPC, within asyncio."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol, Self

from serving.client.address import check_address
from serving.client.errors import code_of_status
from serving.client.grpc_calls import CHANNEL_OPTIONS, PREDICT
from serving.client.protocol import ModelName
from serving.client.rest import model_path

ANSWERED = "ok"


class Sender(Protocol):
    """Sends bodies to one server."""

    async def send(self, body: bytes) -> str:
        """Returns `ANSWERED` when the whole answer is there, or the kind of error."""

    async def __aenter__(self) -> Self:
        """Opens what it needs."""

    async def __aexit__(self, *_: object) -> None:
        """Closes it."""


def make_sender(url: str, model: ModelName, deadline: float) -> Sender:
    """Returns the sender for the protocol of an address.

    Args:
        url: As of `serving.client.Client`.
        model: Who is asked.
        deadline: float. Seconds for one request.
    """
    scheme, address = check_address(url)
    if scheme.startswith("http"):
        return RestSender(f"{url.rstrip('/')}{model_path(model)}:predict", deadline)
    return GrpcSender(address, scheme == "grpcs", deadline)


class RestSender:
    """Posts JSON; opens as many connections as there are requests at once, and keeps them."""

    def __init__(self, url: str, deadline: float) -> None:
        self._url, self._deadline = url, deadline
        self._session: Any = None

    async def __aenter__(self) -> Self:
        import aiohttp

        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=self._deadline),
            headers={"Content-Type": "application/json"},
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def send(self, body: bytes) -> str:
        import aiohttp

        try:
            async with self._session.post(self._url, data=body) as response:
                await response.read()
                if response.status == 200:
                    return ANSWERED
                return f"{response.status} {code_of_status(response.status)}"
        except TimeoutError:
            return "no answer in time"
        except aiohttp.ClientConnectorError:
            return "no connection"
        except aiohttp.ClientError as error:
            return f"connection lost ({type(error).__name__})"


class GrpcSender:
    """Calls Predict with bytes as they are, over one channel."""

    def __init__(self, address: str, is_secure: bool, deadline: float) -> None:
        self._address, self._is_secure, self._deadline = address, is_secure, deadline
        self._channel: Any = None
        self._predict: Any = None

    async def __aenter__(self) -> Self:
        import grpc

        if self._is_secure:
            credentials = grpc.ssl_channel_credentials()
            self._channel = grpc.aio.secure_channel(self._address, credentials, CHANNEL_OPTIONS)
        else:
            self._channel = grpc.aio.insecure_channel(self._address, CHANNEL_OPTIONS)
        self._predict = self._channel.unary_unary(PREDICT)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._channel.close()

    async def send(self, body: bytes) -> str:
        import grpc

        try:
            await self._predict(body, timeout=self._deadline)
        except grpc.aio.AioRpcError as error:
            return error.code().name
        except asyncio.CancelledError:
            # So grpc.aio ends calls whose channel is closed.
            return "cancelled"
        return ANSWERED
