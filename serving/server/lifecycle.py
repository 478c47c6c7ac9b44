"""From the first socket to the last answer."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
from contextlib import suppress
from pathlib import Path

import grpc
from aiohttp import web
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from serving.server.access_log import AccessLog
from serving.server.calls import Calls
from serving.server.metrics import Metrics
from serving.server.models import Models
from serving.server.ports import bind, format_address
from serving.server.rest.handler import RestHandler
from serving.server.rest.http_server import HttpServer, time_headers
from serving.server.rest.pages import Pages
from serving.server.rpc.model_service import DESCRIPTOR as MODEL_SERVICE
from serving.server.rpc.model_service import ModelService
from serving.server.rpc.prediction_service import DESCRIPTOR as PREDICTION_SERVICE
from serving.server.rpc.prediction_service import PredictionService
from serving.server.settings import Limits, ServerSettings
from serving.server.workers import Workers

_LOG = logging.getLogger(__name__)
_HEALTH_NAMES = ("", PREDICTION_SERVICE.full_name, MODEL_SERVICE.full_name)
_PAGE_FOLDER = Path(__file__).parents[1] / "page" / "static"


class Server:
    """REST and gRPC on one loop. Call `start`, then `wait` or `stop`.

    Args:
        settings: Everything.
    """

    def __init__(self, settings: ServerSettings) -> None:
        self.settings = settings
        self.metrics = Metrics()
        self.workers = Workers(settings.threads, asyncio.get_running_loop())
        self.models = Models(settings.batch, self.workers, self.metrics.observe_run)
        self.metrics.watch(self.models)
        self.rest_port = 0
        self.grpc_port = 0
        self._log = AccessLog(settings.access_log)
        self._calls = Calls(self.metrics, self._log)
        self._health = health.aio.HealthServicer()
        self._pages = Pages(_PAGE_FOLDER)
        self._following: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listens, loads every model, and goes on to follow their folders.

        Requests that come while models load are told that they are not there yet.

        Raises:
            ValueError: if a port is taken, or none of a model's versions loads.
        """
        await self._listen_rest()
        await self._listen_grpc()
        await self.models.configure(self.settings.models)
        for name, model in self.models.by_name.items():
            if not model.available():
                errors = [version.error for version in model.versions.values() if version.error]
                raise ValueError(
                    f"No version of the model {name!r} in {model.settings.base} could be loaded. "
                    + (errors[-1].message if errors else "There is none that is wanted.")
                )
        await self._report_health(health_pb2.HealthCheckResponse.SERVING)
        self._following = asyncio.create_task(self.models.follow(self.settings.poll))

    async def stop(self) -> bool:
        """Refuses new requests, answers those that were accepted, and closes.

        Returns:
            False if some had to be cut off because the time was up.
        """
        self._calls.draining = True
        await self._report_health(health_pb2.HealthCheckResponse.NOT_SERVING)
        if self._following is not None:
            self._following.cancel()
        until = asyncio.get_running_loop().time() + self.settings.drain
        stopping = asyncio.create_task(self._grpc.stop(self.settings.drain))
        answered = True
        try:
            async with asyncio.timeout_at(until):
                await self._calls.wait_until_idle()
                await stopping
        except TimeoutError:
            answered = False
            _LOG.error("%d requests were cut off.", self._calls.in_flight)
        await self._rest.cleanup()
        self.workers.stop()
        if answered:
            await self.models.close()
        self._log.close()
        return answered

    async def _listen_rest(self) -> None:
        settings = self.settings
        listener = bind(settings.host, settings.rest_port, "--port")
        self.rest_port = listener.getsockname()[1]
        handler = RestHandler(self.models, self._calls, self.metrics, settings.limits, self._pages)
        server = HttpServer(time_headers(handler), settings.limits)
        self._rest = web.ServerRunner(server, shutdown_timeout=1.0)
        await self._rest.setup()
        await web.SockSite(self._rest, listener).start()

    async def _listen_grpc(self) -> None:
        settings = self.settings
        # gRPC would share a port with another process without a word: try it first.
        trial = bind(settings.host, settings.grpc_port, "--grpc-port")
        port = trial.getsockname()[1]
        trial.close()
        self._grpc = grpc.aio.server(
            options=_grpc_options(settings.limits),
            maximum_concurrent_rpcs=settings.limits.rpcs,
        )
        predictions = PredictionService(self.models, settings.limits.deadline)
        self._grpc.add_generic_rpc_handlers(
            (predictions.build(self._calls), ModelService(self.models).build(self._calls))
        )
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._grpc)
        await self._report_health(health_pb2.HealthCheckResponse.NOT_SERVING)
        self.grpc_port = self._grpc.add_insecure_port(format_address(settings.host, port))
        await self._grpc.start()

    async def _report_health(self, status: int) -> None:
        for name in _HEALTH_NAMES:
            await self._health.set(name, status)

    def describe(self) -> str:
        """Returns the URLs, one a line."""
        rest = f"http://{format_address(self.settings.host, self.rest_port)}"
        lines = [
            f"REST     {rest}/v1/models/{name}:predict" for name in sorted(self.models.by_name)
        ]
        lines.append(f"gRPC     {format_address(self.settings.host, self.grpc_port)}")
        lines.append(f"Metrics  {rest}/metrics")
        lines.append(f"Probes   {rest}/healthz {rest}/readyz")
        if self._pages.found:
            lines.append(f"Page     {rest}/")
        return "\n".join(lines)


async def serve(settings: ServerSettings) -> int:
    """Serves until SIGTERM or SIGINT.

    Returns:
        0, or 1 if requests were cut off because the drain time was up.
    """
    loop = asyncio.get_running_loop()
    _calm_collector()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    server = Server(settings)
    starting = asyncio.create_task(server.start())
    stopping = asyncio.create_task(stopped.wait())
    await asyncio.wait((starting, stopping), return_when=asyncio.FIRST_COMPLETED)
    if starting.done():
        await starting
        print(server.describe(), flush=True)
        await stopping
    else:
        starting.cancel()
        with suppress(asyncio.CancelledError):
            await starting
    return 0 if await server.stop() else 1


def _calm_collector() -> None:
    """Keeps Python's cycle collector from walking through TensorFlow again and again.

    Its half a million objects are there to stay; a walk takes an eighth of the
    CPU time of small requests. What is loaded later is still collected.
    """
    import tensorflow as tf
    import tensorflow_text

    del tf, tensorflow_text
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def _grpc_options(limits: Limits) -> list[tuple[str, int]]:
    return [
        ("grpc.max_receive_message_length", limits.body),
        ("grpc.max_send_message_length", -1),
        ("grpc.so_reuseport", 0),
        # A client that goes silent with a connection open is asked whether it is there.
        ("grpc.keepalive_time_ms", 60_000),
        ("grpc.keepalive_timeout_ms", 20_000),
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
        ("grpc.max_metadata_size", 16 * 1024),
    ]
