"""TensorFlow Serving's gRPC interface, over one channel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import grpc
import numpy as np

from serving.client.errors import ServingError
from serving.client.messages import (
    GetModelMetadataRequest,
    GetModelMetadataResponse,
    GetModelStatusRequest,
    GetModelStatusResponse,
    ModelSpec,
    PredictRequest,
    PredictResponse,
    SignatureDefMap,
)
from serving.client.protocol import Metadata, ModelName, Reply, Signature, VersionStatus
from serving.client.tensors import from_tensor, to_tensor

PREDICT = "/tensorflow.serving.PredictionService/Predict"
_METADATA = "/tensorflow.serving.PredictionService/GetModelMetadata"
_STATUS = "/tensorflow.serving.ModelService/GetModelStatus"
_STATES = {10: "START", 20: "LOADING", 30: "AVAILABLE", 40: "UNLOADING", 50: "END"}
CHANNEL_OPTIONS = (
    # Pictures of a batch are more than the 4 MB that gRPC would take by default.
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    # A server that restarts is found again soon; repeating is not left to the channel.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2000),
    ("grpc.enable_retries", 0),
)


class GrpcTransport:
    """Calls the services of a server.

    Args:
        address: str. `host:port`.
        is_secure: bool. TLS, with the certificates that gRPC trusts.
        headers: Sent with every request, as metadata.
    """

    def __init__(self, address: str, is_secure: bool, headers: Mapping[str, str]) -> None:
        self._address = address
        self._headers = tuple((name.lower(), value) for name, value in headers.items())
        if is_secure:
            credentials = grpc.ssl_channel_credentials()
            self._channel = grpc.secure_channel(address, credentials, CHANNEL_OPTIONS)
        else:
            self._channel = grpc.insecure_channel(address, CHANNEL_OPTIONS)
        self._predict = self._method(PREDICT, PredictResponse)
        self._metadata = self._method(_METADATA, GetModelMetadataResponse)
        self._status = self._method(_STATUS, GetModelStatusResponse)

    def predict(
        self, model: ModelName, signature: str, inputs: Mapping[str, np.ndarray], timeout: float
    ) -> Reply:
        answer = self._send(self._predict, build_request(model, signature, inputs), timeout)
        outputs = {name: from_tensor(tensor) for name, tensor in answer.outputs.items()}
        return Reply(outputs, _version(answer.model_spec))

    def metadata(self, model: ModelName, timeout: float) -> Metadata:
        request = GetModelMetadataRequest(metadata_field=["signature_def"])
        request.model_spec.CopyFrom(_spec(model))
        answer = self._send(self._metadata, request, timeout)
        found = SignatureDefMap.FromString(answer.metadata["signature_def"].value)
        signatures = {
            name: Signature(_types(one.inputs), _types(one.outputs))
            for name, one in found.signature_def.items()
        }
        return Metadata(_version(answer.model_spec), signatures)

    def status(self, model: ModelName, timeout: float) -> list[VersionStatus]:
        request = GetModelStatusRequest()
        request.model_spec.CopyFrom(_spec(model))
        answer = self._send(self._status, request, timeout)
        return [
            VersionStatus(one.version, _STATES.get(one.state, "UNKNOWN"), one.status.error_message)
            for one in answer.model_version_status
        ]

    def close(self) -> None:
        self._channel.close()

    def _method(self, path: str, answer: Any) -> Any:
        return self._channel.unary_unary(
            path,
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=answer.FromString,
        )

    def _send(self, method: Any, request: Any, timeout: float) -> Any:
        try:
            return method(request, timeout=timeout, metadata=self._headers)
        except grpc.RpcError as error:
            raise _explain(error, self._address) from error


def build_request(model: ModelName, signature: str, inputs: Mapping[str, np.ndarray]) -> Any:
    """Returns the `PredictRequest`."""
    request = PredictRequest()
    request.model_spec.CopyFrom(_spec(model, signature))
    for name, values in inputs.items():
        request.inputs[name].CopyFrom(to_tensor(values))
    return request


def _spec(model: ModelName, signature: str = "") -> Any:
    spec = ModelSpec(name=model.name, version_label=model.label, signature_name=signature)
    if model.version is not None:
        spec.version.value = model.version
    return spec


def _version(spec: Any) -> int | None:
    return spec.version.value if spec.HasField("version") else None


def _types(tensors: Mapping[str, Any]) -> dict[str, int]:
    return {name: info.dtype for name, info in tensors.items()}


def _explain(error: Any, address: str) -> ServingError:
    code = error.code()
    detail = f"{address}: {error.details() or 'no reason given'}"
    asked = dict(error.trailing_metadata() or ()).get("grpc-retry-pushback-ms", "")
    wait = float(asked) / 1000 if str(asked).isdecimal() else None
    # Only a server that says when to come back means a full queue by RESOURCE_EXHAUSTED;
    # the others a message that is too large.
    is_safe = code == grpc.StatusCode.UNAVAILABLE or (
        code == grpc.StatusCode.RESOURCE_EXHAUSTED and wait is not None
    )
    return ServingError(code.name, detail, is_safe=is_safe, retry_after=wait)
