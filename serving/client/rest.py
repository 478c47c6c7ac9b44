"""TensorFlow Serving's REST interface, over connections that are kept."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import numpy as np
import urllib3

from serving.client.errors import ServingError, code_of_status
from serving.client.protocol import UNNAMED, Metadata, ModelName, Reply, Signature, VersionStatus
from serving.client.tensors import TYPE_NAMES, as_objects


class RestTransport:
    """Sends the column format; reads columns.

    Args:
        url: Such as `http://host:8501`, with a path where a gateway adds one.
        connections: int. Kept open at most; more requests at once open more.
        headers: Sent with every request.
    """

    def __init__(self, url: str, connections: int, headers: Mapping[str, str]) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Content-Type": "application/json", **headers}
        self._pool = urllib3.PoolManager(maxsize=connections, retries=False)

    def predict(
        self, model: ModelName, signature: str, inputs: Mapping[str, np.ndarray], timeout: float
    ) -> Reply:
        body = encode_request(signature, inputs)
        answer = self._send("POST", f"{model_path(model)}:predict", timeout, body)
        outputs = answer.get("outputs")
        if not isinstance(outputs, dict):
            outputs = {UNNAMED: outputs}
        return Reply({name: _read(values) for name, values in outputs.items()}, model.version)

    def metadata(self, model: ModelName, timeout: float) -> Metadata:
        answer = self._send("GET", f"{model_path(model)}/metadata", timeout)
        try:
            found = answer["metadata"]["signature_def"]["signature_def"]
            version = int(answer["model_spec"]["version"])
            signatures = {
                name: Signature(_read_types(one["inputs"]), _read_types(one["outputs"]))
                for name, one in found.items()
            }
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise _not_the_protocol(self._url, error) from error
        return Metadata(version, signatures)

    def status(self, model: ModelName, timeout: float) -> list[VersionStatus]:
        answer = self._send("GET", model_path(model), timeout)
        try:
            return [
                VersionStatus(
                    int(one["version"]), one["state"], one["status"].get("error_message", "")
                )
                for one in answer["model_version_status"]
            ]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise _not_the_protocol(self._url, error) from error

    def close(self) -> None:
        self._pool.clear()

    def _send(
        self, method: str, path: str, timeout: float, body: bytes | None = None
    ) -> dict[str, Any]:
        try:
            response = self._pool.request(
                method,
                self._url + path,
                body=body,
                headers=self._headers,
                timeout=urllib3.Timeout(total=timeout),
            )
        except urllib3.exceptions.HTTPError as error:
            raise _explain(error, self._url, timeout) from error
        if response.status != 200:
            raise _refusal(response)
        try:
            answer = json.loads(response.data)
        except ValueError as error:
            raise _not_the_protocol(self._url, error) from error
        if not isinstance(answer, dict):
            raise _not_the_protocol(self._url, TypeError(type(answer).__name__))
        return answer


def model_path(model: ModelName) -> str:
    """Returns the path of a model, version or label, below the server's address."""
    path = f"/v1/models/{quote(model.name)}"
    if model.version is not None:
        return f"{path}/versions/{model.version}"
    return f"{path}/labels/{quote(model.label)}" if model.label else path


def encode_request(signature: str, inputs: Mapping[str, np.ndarray]) -> bytes:
    """Returns the JSON body of a prediction; bytes that are no UTF-8 go as base64."""
    columns = {name: _write(values.tolist()) for name, values in inputs.items()}
    body = {"signature_name": signature, "inputs": columns}
    # NaN is written as such: TensorFlow Serving reads it, and it says "absent" of a number.
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _write(value: Any) -> Any:
    if isinstance(value, list):
        return [_write(one) for one in value]
    if not isinstance(value, bytes):
        return value
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"b64": base64.b64encode(value).decode("ascii")}


def _read(values: Any) -> np.ndarray:
    """Returns the array of a JSON value: numbers as float32 or int64, strings as bytes."""
    shape, inner = [], values
    while isinstance(inner, list):
        shape.append(len(inner))
        inner = inner[0] if inner else None
    if isinstance(inner, int | float) and not isinstance(inner, bool):
        array = np.array(values)
        return array.astype(np.float32) if array.dtype == np.float64 else array
    flat = values if isinstance(values, list) else [values]
    for _ in shape[1:]:
        flat = [one for row in flat for one in row]
    if len(flat) != math.prod(shape):
        raise ServingError("INTERNAL", "an output of the answer has rows of different lengths")
    return as_objects([_read_bytes(one) for one in flat]).reshape(shape)


def _read_bytes(value: Any) -> Any:
    if isinstance(value, dict) and set(value) == {"b64"}:
        return base64.b64decode(value["b64"])
    return value.encode() if isinstance(value, str) else value


def _read_types(tensors: Mapping[str, Any]) -> dict[str, int]:
    return {name: TYPE_NAMES.get(one["dtype"], 0) for name, one in tensors.items()}


def _refusal(response: urllib3.BaseHTTPResponse) -> ServingError:
    try:
        detail = str(json.loads(response.data)["error"])
    except (ValueError, KeyError, TypeError):
        # Not TensorFlow Serving's form: a gateway, or another program at this port.
        start = response.data[:200].decode("utf-8", "replace").strip()
        detail = f"HTTP {response.status} {response.reason or ''} {start}".strip()
    return ServingError(
        code_of_status(response.status),
        detail,
        is_safe=response.status in (429, 503),
        retry_after=_seconds(response.headers.get("Retry-After")),
    )


def _seconds(value: str | None) -> float | None:
    """Returns the seconds of a `Retry-After`; a date in it is not what such servers send."""
    return float(value) if value and value.strip().isdecimal() else None


def _explain(error: urllib3.exceptions.HTTPError, url: str, timeout: float) -> ServingError:
    named = urllib3.exceptions
    if isinstance(error, named.NewConnectionError):
        return ServingError("UNAVAILABLE", f"no connection to {url}: {error}", is_safe=True)
    if isinstance(error, named.TimeoutError):
        return ServingError("DEADLINE_EXCEEDED", f"no answer from {url} within {timeout:.3g} s")
    if isinstance(error, named.ProtocolError):
        # Predictions change nothing on the server, so a half-sent one may be sent again.
        return ServingError("UNAVAILABLE", f"{url} closed the connection: {error}", is_safe=True)
    return ServingError("UNKNOWN", f"{url}: {error}")


def _not_the_protocol(url: str, error: Exception) -> ServingError:
    return ServingError(
        "INTERNAL",
        f"{url} answered, but not in TensorFlow Serving's form ({type(error).__name__}: {error})",
    )
