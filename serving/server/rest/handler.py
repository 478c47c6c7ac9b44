"""Paths of TF Serving's REST interface, and those of operations."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from urllib.parse import unquote

import orjson
from aiohttp import web

from serving.server.calls import Call, Calls
from serving.server.classification import classify, refuse_regression
from serving.server.inference import deadline_after, predict
from serving.server.metrics import CONTENT_TYPE, Metrics
from serving.server.models import Models
from serving.server.rest.body import BodyError, BodyReader
from serving.server.rest.examples import read_examples
from serving.server.rest.json_text import format_error, parse_object
from serving.server.rest.pages import Pages
from serving.server.rest.read_tensors import read_predict
from serving.server.rest.write_tensors import write_classes, write_predictions
from serving.server.rpc.descriptions import metadata_json, status_json
from serving.server.settings import Limits
from serving.server.status import Code, ServingError, invalid
from serving.server.versions import Version

_POST = re.compile(
    r"(?i)/v1/models/([^/:]+)(?:/versions/(\d+)|/labels/([^/:]+))?:(classify|regress|predict)"
)
_GET = re.compile(
    r"(?i)/v1/models(?:/([^/:]+))?(?:/versions/(\d+)|/labels/([^/:]+))?(?:/(metadata))?"
)
_LOG = logging.getLogger(__name__)
_METRICS = ("/metrics", "/monitoring/prometheus/metrics")
_MAX_VERSION = 2**63


class RestHandler:
    """Answers every HTTP request.

    Args:
        models: What is served.
        calls: Requests under way.
        metrics: For `/metrics`.
        limits: Of one client.
        pages: Files at `/`.
    """

    def __init__(
        self, models: Models, calls: Calls, metrics: Metrics, limits: Limits, pages: Pages
    ) -> None:
        self._models = models
        self._calls = calls
        self._metrics = metrics
        self._limits = limits
        self._bodies = BodyReader(limits)
        self._pages = pages
        self._operations: dict[str, Callable[[], web.Response]] = {
            "/healthz": self._answer_alive,
            "/readyz": self._answer_ready,
            "/page/models": self._answer_models,
            **dict.fromkeys(_METRICS, self._answer_metrics),
        }

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.raw_path.partition("?")[0]
        if path[:4].lower() != "/v1/":
            if request.method in ("GET", "HEAD"):
                if path in self._operations:
                    return self._operations[path]()
                return self._pages.find(path)
            return _to_response(ServingError(Code.NOT_FOUND, f"Not found: {path[:64]}"))
        call = self._calls.begin("rest", "unknown")
        response: web.Response
        with call:
            try:
                self._calls.check_open()
                content = await self._answer(request, path, call)
                call.sent = len(content)
                response = web.Response(body=content, content_type="application/json")
            except ServingError as error:
                call.code = error.code
                response = _to_response(error)
            except Exception:
                _LOG.exception("A request over REST failed.")
                call.code = Code.INTERNAL
                response = _to_response(ServingError(Code.INTERNAL, "Internal error; see the log."))
            if self._calls.draining:
                response.force_close()
            # Written here, so that an accepted request counts until its answer is out.
            await response.prepare(request)
            await response.write_eof()
            if request.content.exception() is not None and request.protocol is not None:
                # There is no end of a broken body to read up to, as aiohttp otherwise does.
                request.protocol.force_close()
        return response

    async def _answer(self, request: web.BaseRequest, path: str, call: Call) -> bytes:
        if request.method == "POST":
            match = _POST.fullmatch(path)
            if match and match[4] in ("predict", "classify", "regress"):
                call.method = match[4]
                async with self._bodies.read(request) as body:
                    call.received = len(body)
                    return await self._infer(match, body, call)
            await self._bodies.skip(request)
        elif request.method == "GET" and (match := _GET.fullmatch(path)):
            call.method = "metadata" if match[4] else "status"
            return self._describe(match, call)
        raise invalid(f"Malformed request: {request.method[:16]} {path[:256]}")

    async def _infer(self, match: re.Match[str], body: bytes, call: Call) -> bytes:
        name, number, label = _read_spec(match)
        deadline = deadline_after(self._limits.deadline)
        document = parse_object(body)
        signature_name = document.get("signature_name", "")
        if not isinstance(signature_name, str):
            raise format_error(
                document, "not formatted correctly. 'signature_name' key must be a string value."
            )
        examples = [] if call.method == "predict" else read_examples(document)
        version = self._models.find(name, number, label)
        call.model, call.version = name, version.number
        with version.hold():
            if call.method == "classify":
                classes, scores = await classify(version, signature_name, examples, deadline, call)
                return write_classes(classes, scores)
            if call.method == "regress":
                raise refuse_regression(version, signature_name)
            return await _predict(version, signature_name, document, deadline, call)

    def _describe(self, match: re.Match[str], call: Call) -> bytes:
        name, number, label = _read_spec(match)
        if not name:
            raise invalid("Missing model name in request.")
        if match[4]:
            version = self._models.find(name, number, label)
            call.model, call.version = name, version.number
            return metadata_json(name, version)
        told = status_json(self._models, name, number, label)
        call.model = name  # a name that is not served raises before it is a label of metrics
        return told

    def _answer_alive(self) -> web.Response:
        return web.json_response({"status": "ok"})

    def _answer_ready(self) -> web.Response:
        ready = self._models.ready and not self._calls.draining
        return web.json_response(
            {"status": "ready" if ready else "not ready"}, status=200 if ready else 503
        )

    def _answer_models(self) -> web.Response:
        """Names what the page can ask, which TensorFlow Serving's protocol does not tell."""
        return web.json_response({"models": sorted(self._models.by_name)})

    def _answer_metrics(self) -> web.Response:
        return web.Response(body=self._metrics.to_text(), headers={"Content-Type": CONTENT_TYPE})


async def _predict(
    version: Version, name: str, document: dict, deadline: float, call: Call
) -> bytes:
    name = name or "serving_default"
    signature = version.signature(name)
    if signature is None:
        if name in version.signature_defs:
            raise invalid(f"Failed to get input map for signature: {name}")
        raise invalid(f'Serving signature name: "{name[:64]}" not found in signature def')
    inputs, rows = read_predict(document, signature.inputs)
    outputs = await predict(version, name, inputs, deadline, call)
    return write_predictions(outputs, rows=rows)


def _read_spec(match: re.Match[str]) -> tuple[str, int | None, str | None]:
    name, number, label = match[1], match[2], match[3]
    if number is not None and int(number[:20]) >= _MAX_VERSION:
        raise invalid(f"Failed to convert version: {number[:32]} to numeric.")
    return (
        unquote(name) if name else "",
        None if number is None else int(number),
        None if label is None else unquote(label),
    )


def _to_response(error: ServingError) -> web.Response:
    response = web.Response(
        body=orjson.dumps({"error": error.message}),
        status=error.http_status,
        content_type="application/json",
    )
    if isinstance(error, BodyError):
        response.force_close()
    return response
