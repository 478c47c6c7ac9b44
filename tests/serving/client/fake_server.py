"""A server with a toy model behind both protocols, that can be told to misbehave."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
from aiohttp import web

from serving.client.messages import (
    MESSAGES,
    GetModelMetadataRequest,
    GetModelMetadataResponse,
    GetModelStatusRequest,
    GetModelStatusResponse,
    PredictRequest,
    PredictResponse,
    SignatureDefMap,
)
from serving.client.tensors import STRING, as_objects, from_tensor, to_tensor

CLASSES = ["lamp", "mug > big", "mug > small"]
CARD = {
    "inputs": [
        {"name": "image_bytes", "kind": "image", "columns": ["image"]},
        {"name": "text", "kind": "text", "columns": ["title", "description"]},
        {"name": "price", "kind": "number", "columns": ["price"]},
    ],
    "class_names": CLASSES,
    "level_names": ["category", "subcategory"],
    "label": ["category", "subcategory"],
    "label_separator": "",
    "run": "0",
    "trained_on": {"train": 9},
    "max_batch": 8,
    "of_a_later_version": True,
}
FLOAT, STRINGS = 1, STRING
HTTP = {"UNAVAILABLE": 503, "INVALID_ARGUMENT": 400, "NOT_FOUND": 404, "RESOURCE_EXHAUSTED": 429}


class Refusal(Exception):
    """A status other than OK."""

    def __init__(self, code, detail, retry_after=None, http=None):
        super().__init__(detail)
        self.code, self.detail, self.retry_after = code, detail, retry_after
        self.http = http or HTTP.get(code, 500)


def scores_of(image, text, price):
    """Returns the probabilities of one row, `(3,)`: any other value gives others."""
    seed = zlib.crc32(image + b"|" + text + b"|" + np.float32(price).tobytes())
    return np.random.default_rng(seed).dirichlet(np.ones(3)).astype(np.float32)


class FakeServer:
    """Serves until `close`.

    Args:
        with_card: bool. Whether the model has the signature `health`.
        card: Fields that differ from `CARD`.
        seconds: float. How long a prediction takes.
    """

    def __init__(self, with_card=True, card=None, seconds=0.0):
        self.card = {**CARD, **(card or {})}
        self.with_card, self.seconds = with_card, seconds
        self.refusals, self.requests, self.headers, self.paths = [], [], [], []
        self.state = 30
        self.connections, self.at_once, self.most_at_once = set(), 0, 0
        self.lock = threading.Lock()
        self._serve_grpc()
        self._serve_rest()

    def refuse(self, *args, times=1, **kwargs):
        """Answers the next predictions of products with a status."""
        self.refusals += [Refusal(*args, **kwargs)] * times

    def close(self):
        self._grpc.stop(None).wait()
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join()

    @property
    def rest(self):
        return f"http://127.0.0.1:{self.rest_port}"

    @property
    def grpc(self):
        return f"grpc://127.0.0.1:{self.grpc_port}"

    def signatures(self):
        raw = {"image_bytes": STRINGS, "text": STRINGS, "price": FLOAT}
        found = {
            "serving_default": (raw, {"label": STRINGS, "scores": FLOAT}),
            "features": (raw, {"embedding": FLOAT}),
        }
        if self.with_card:
            found["health"] = ({"probe": STRINGS}, {"status": STRINGS, "card": STRINGS})
        return found

    def predict(self, signature, inputs):
        """Returns the outputs by name, arrays."""
        with self.lock:
            self.requests.append((signature, {name: len(v) for name, v in inputs.items()}))
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            refusal = self.refusals.pop(0) if signature != "health" and self.refusals else None
        try:
            time.sleep(self.seconds)
            if refusal:
                raise refusal
            return self._answer(signature, inputs)
        finally:
            with self.lock:
                self.at_once -= 1

    def _answer(self, signature, inputs):
        if signature == "health":
            rows = len(inputs["probe"])
            card = json.dumps(self.card).encode()
            return {"status": as_objects([b"ok"] * rows), "card": as_objects([card] * rows)}
        rows = list(zip(inputs["image_bytes"], inputs["text"], inputs["price"], strict=True))
        if len(rows) > self.card["max_batch"]:
            raise Refusal("INVALID_ARGUMENT", f"at most {self.card['max_batch']} rows a batch")
        if any(text == b"poison" for _, text, _ in rows):
            raise Refusal("INVALID_ARGUMENT", "poison")
        scores = np.stack([scores_of(*row) for row in rows])
        if signature == "features":
            return {"embedding": scores * 2}
        bad = [image and not image.startswith(b"\xff\xd8") for image, _, _ in rows]
        states = [b"image_bytes: not a picture that can be decoded" if b else b"ok" for b in bad]
        names = [name.encode() for name in self.card["class_names"]]
        outputs = {
            "label": as_objects([names[i] for i in scores.argmax(1)]),
            "confidence": scores.max(1),
            "status": as_objects(states),
        }
        if signature == "explain":
            count = len(rows)
            one = {
                "inputs": as_objects([b"image_bytes", b"text", b"price"]),
                "shares": np.array([0.5, -0.25, 0.125], np.float32),
                "text_words": as_objects([b"red", b"mug", b""]),
                "text_word_scores": np.array([0.75, -0.5, 0], np.float32),
                "image_bytes_regions": np.arange(4, dtype=np.float32).reshape(2, 2),
            }
            return {**outputs, **{k: np.repeat(v[None], count, 0) for k, v in one.items()}}
        return {
            **outputs,
            "scores": scores,
            "labels": np.repeat(as_objects(names)[None], len(rows), 0),
        }

    # gRPC

    def _serve_grpc(self):
        def method(answer, request):
            return grpc.unary_unary_rpc_method_handler(
                lambda message, context: self._guard(answer, message, context),
                request_deserializer=request.FromString,
                response_serializer=lambda message: message.SerializeToString(),
            )

        self._grpc = grpc.server(ThreadPoolExecutor(16))
        serving = "tensorflow.serving"
        self._grpc.add_generic_rpc_handlers(
            [
                grpc.method_handlers_generic_handler(
                    f"{serving}.PredictionService",
                    {
                        "Predict": method(self._grpc_predict, PredictRequest),
                        "GetModelMetadata": method(self._grpc_metadata, GetModelMetadataRequest),
                    },
                ),
                grpc.method_handlers_generic_handler(
                    f"{serving}.ModelService",
                    {"GetModelStatus": method(self._grpc_status, GetModelStatusRequest)},
                ),
            ]
        )
        self.grpc_port = self._grpc.add_insecure_port("127.0.0.1:0")
        self._grpc.start()

    def _guard(self, answer, message, context):
        self.headers.append(dict(context.invocation_metadata()))
        self.connections.add(context.peer())
        try:
            return answer(message)
        except Refusal as refusal:
            if refusal.retry_after is not None:
                wait = str(int(refusal.retry_after * 1000))
                context.set_trailing_metadata([("grpc-retry-pushback-ms", wait)])
            context.abort(grpc.StatusCode[refusal.code], refusal.detail)

    def _grpc_predict(self, request):
        if request.model_spec.name != "taxofuse":
            raise Refusal("NOT_FOUND", "Servable not found")
        inputs = {name: from_tensor(tensor) for name, tensor in request.inputs.items()}
        response = PredictResponse()
        for name, array in self.predict(request.model_spec.signature_name, inputs).items():
            response.outputs[name].CopyFrom(to_tensor(array))
        response.model_spec.version.value = request.model_spec.version.value or 7
        return response

    def _grpc_metadata(self, request):
        found = SignatureDefMap()
        for name, (inputs, outputs) in self.signatures().items():
            for side, types in (("inputs", inputs), ("outputs", outputs)):
                for key, dtype in types.items():
                    getattr(found.signature_def[name], side)[key].dtype = dtype
        response = GetModelMetadataResponse()
        response.model_spec.version.value = 7
        response.metadata["signature_def"].value = found.SerializeToString()
        return response

    def _grpc_status(self, request):
        response = GetModelStatusResponse()
        response.model_version_status.append(
            MESSAGES["tensorflow.serving.ModelVersionStatus"](version=7, state=self.state)
        )
        return response

    # REST

    def _serve_rest(self):
        started = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._run_rest(started)), daemon=True
        )
        self._thread.start()
        assert started.wait(10)

    async def _run_rest(self, started):
        self._loop, self._stopped = asyncio.get_running_loop(), asyncio.Event()
        app = web.Application(client_max_size=2**24)
        app.router.add_post("/v1/models/{model:[^:/]+}{rest:.*}:predict", self._rest_predict)
        app.router.add_get("/v1/models/taxofuse{version:.*}/metadata", self._rest_metadata)
        app.router.add_get("/v1/models/taxofuse", self._rest_status)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.rest_port = site._server.sockets[0].getsockname()[1]
        self._pool = ThreadPoolExecutor(32)
        started.set()
        await self._stopped.wait()
        await runner.cleanup()
        self._pool.shutdown()

    async def _rest_predict(self, request):
        self.connections.add(request.transport.get_extra_info("peername"))
        self.headers.append(dict(request.headers))
        self.paths.append(request.path)
        body = json.loads(await request.read())
        inputs = {name: self._read(values) for name, values in body["inputs"].items()}
        signature = body["signature_name"]
        try:
            if request.match_info["model"] != "taxofuse":
                raise Refusal("NOT_FOUND", "Servable not found")
            loop = asyncio.get_running_loop()
            outputs = await loop.run_in_executor(self._pool, self.predict, signature, inputs)
        except Refusal as refusal:
            if refusal.code == "RESET":
                request.transport.abort()
                return web.Response()
            wait = {} if refusal.retry_after is None else {"Retry-After": str(refusal.retry_after)}
            error = {"error": refusal.detail}
            return web.json_response(error, status=refusal.http, headers=wait)
        columns = {name: self._write(array.tolist()) for name, array in outputs.items()}
        only = next(iter(columns.values()))
        return web.json_response({"outputs": columns if len(columns) > 1 else only})

    def _read(self, values):
        if all(isinstance(value, float | int) for value in values):
            return np.array(values, np.float32)
        return as_objects(
            [base64.b64decode(v["b64"]) if isinstance(v, dict) else v.encode() for v in values]
        )

    def _write(self, value):
        if isinstance(value, list):
            return [self._write(one) for one in value]
        return value.decode() if isinstance(value, bytes) else value

    async def _rest_metadata(self, request):
        names = {FLOAT: "DT_FLOAT", STRINGS: "DT_STRING"}
        found = {
            name: {
                side: {key: {"dtype": names[dtype]} for key, dtype in types.items()}
                for side, types in (("inputs", inputs), ("outputs", outputs))
            }
            for name, (inputs, outputs) in self.signatures().items()
        }
        return web.json_response(
            {
                "model_spec": {"name": "taxofuse", "version": "7"},
                "metadata": {"signature_def": {"signature_def": found}},
            }
        )

    async def _rest_status(self, request):
        state = {"version": "7", "state": {20: "LOADING", 30: "AVAILABLE"}[self.state]}
        ok = {"error_code": "OK", "error_message": ""}
        return web.json_response({"model_version_status": [{**state, "status": ok}]})
