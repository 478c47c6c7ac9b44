"""tensorflow.serving.PredictionService."""

from __future__ import annotations

from typing import Any

import grpc
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    inference_pb2,
    predict_pb2,
    prediction_service_pb2,
    regression_pb2,
)

from serving.server.calls import Call, Calls
from serving.server.classification import classify, refuse_regression
from serving.server.inference import deadline_after, predict
from serving.server.models import Models
from serving.server.rpc.descriptions import SIGNATURE_DEF, describe_metadata
from serving.server.rpc.handlers import build_service
from serving.server.rpc.tensors import read_inputs, write_tensor
from serving.server.status import Code, ServingError, invalid
from serving.server.versions import Version

DESCRIPTOR = prediction_service_pb2.DESCRIPTOR.services_by_name["PredictionService"]


class PredictionService:
    """Predict, Classify and GetModelMetadata; Regress and MultiInference say why not.

    Args:
        models: What is served.
        deadline: float. Seconds for an answer where the client names none.
    """

    def __init__(self, models: Models, deadline: float) -> None:
        self._models = models
        self._deadline = deadline

    def build(self, calls: Calls) -> grpc.GenericRpcHandler:
        """Returns the service for a gRPC server."""
        methods = {
            "Predict": self.predict,
            "Classify": self.classify,
            "Regress": self.regress,
            "MultiInference": self.multi_inference,
            "GetModelMetadata": self.get_model_metadata,
        }
        messages = {
            "Predict": predict_pb2.PredictRequest,
            "Classify": classification_pb2.ClassificationRequest,
            "Regress": regression_pb2.RegressionRequest,
            "MultiInference": inference_pb2.MultiInferenceRequest,
            "GetModelMetadata": get_model_metadata_pb2.GetModelMetadataRequest,
        }
        return build_service(DESCRIPTOR, methods, messages, calls)

    async def predict(self, request: Any, context: Any, call: Call) -> Any:
        """Runs a signature on tensors."""
        deadline = self._find_deadline(context)
        version = self._find(request, call)
        with version.hold():
            name = request.model_spec.signature_name or "serving_default"
            signature = version.signature(name)
            if signature is None:
                raise ServingError(
                    Code.FAILED_PRECONDITION,
                    f'Serving signature key "{name[:64]}" not found.',
                )
            inputs = read_inputs(request.inputs, signature.inputs)
            wanted = signature.choose_outputs(list(request.output_filter))
            outputs = await predict(version, name, inputs, deadline, call)
        response = predict_pb2.PredictResponse()
        _fill_spec(response.model_spec, request, version, name)
        for alias in wanted:
            write_tensor(outputs[alias], response.outputs[alias])
        return response

    async def classify(self, request: Any, context: Any, call: Call) -> Any:
        """Runs a signature of classification on tf.Example."""
        deadline = self._find_deadline(context)
        version = self._find(request, call)
        with version.hold():
            name = request.model_spec.signature_name
            examples = _serialize_examples(request.input)
            classes, scores = await classify(version, name, examples, deadline, call)
        response = classification_pb2.ClassificationResponse()
        _fill_spec(response.model_spec, request, version, name)
        first = classes if classes is not None else scores
        assert first is not None
        for row in range(first.shape[0]):
            found = response.result.classifications.add()
            for column in range(first.shape[1]):
                found.classes.add(
                    label=None
                    if classes is None
                    else classes[row, column].decode("utf-8", "replace"),
                    score=None if scores is None else scores[row, column],
                )
        return response

    async def regress(self, request: Any, context: Any, call: Call) -> Any:
        """Says why not."""
        raise refuse_regression(self._find(request, call), request.model_spec.signature_name)

    async def multi_inference(self, request: Any, context: Any, call: Call) -> Any:
        """Says why not."""
        raise ServingError(
            Code.UNIMPLEMENTED,
            "This server has no MultiInference: the signatures take raw values, not tf.Example. "
            "Send one Predict for each signature.",
        )

    async def get_model_metadata(self, request: Any, context: Any, call: Call) -> Any:
        """Describes the signatures."""
        if not request.HasField("model_spec"):
            raise invalid("Missing ModelSpec")
        if not request.metadata_field:
            raise invalid("GetModelMetadataRequest must specify at least one metadata_field")
        for field in request.metadata_field:
            if field != SIGNATURE_DEF:
                raise invalid(f"Metadata field {field[:64]} is not supported")
        version = self._find(request, call)
        return describe_metadata(request.model_spec.name, version)

    def _find(self, request: Any, call: Call) -> Version:
        if not request.HasField("model_spec"):
            raise invalid("Missing ModelSpec")
        spec = request.model_spec
        version = self._models.find(spec.name, *read_choice(spec))
        call.model, call.version = spec.name, version.number
        return version

    def _find_deadline(self, context: Any) -> float:
        remaining = context.time_remaining()
        seconds = self._deadline if remaining is None else min(remaining, self._deadline)
        return deadline_after(seconds)


def read_choice(spec: Any) -> tuple[int | None, str | None]:
    """Returns version number and label of a ModelSpec, None where it has none."""
    chosen = spec.WhichOneof("version_choice")
    return (
        spec.version.value if chosen == "version" else None,
        spec.version_label if chosen == "version_label" else None,
    )


def _fill_spec(spec: Any, request: Any, version: Version, signature: str) -> None:
    spec.name = request.model_spec.name
    spec.version.value = version.number
    spec.signature_name = signature


def _serialize_examples(message: Any) -> list[bytes]:
    if message.WhichOneof("kind") == "example_list_with_context":
        examples = []
        for example in message.example_list_with_context.examples:
            joined = type(example)()
            joined.CopyFrom(message.example_list_with_context.context)
            for name, feature in example.features.feature.items():
                joined.features.feature[name].CopyFrom(feature)
            examples.append(joined.SerializeToString())
        return examples
    return [example.SerializeToString() for example in message.example_list.examples]
