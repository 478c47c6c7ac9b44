"""The official stubs against the embedded server."""

from importlib import import_module
from types import SimpleNamespace

import grpc
import numpy as np
import pytest
from google.protobuf import wrappers_pb2

MODULES = (
    "classification_pb2",
    "get_model_metadata_pb2",
    "get_model_status_pb2",
    "inference_pb2",
    "model_management_pb2",
    "model_service_pb2_grpc",
    "predict_pb2",
    "prediction_service_pb2_grpc",
    "regression_pb2",
)


@pytest.fixture(scope="module")
def apis():
    """Returns the modules of tensorflow-serving-api, which bring TensorFlow with them."""
    found = {name: import_module(f"tensorflow_serving.apis.{name}") for name in MODULES}
    return SimpleNamespace(**found)


@pytest.fixture(scope="module")
def channel(running):
    with grpc.insecure_channel(running.target) as channel:
        yield channel


@pytest.fixture(scope="module")
def predictions(apis, channel):
    return apis.prediction_service_pb2_grpc.PredictionServiceStub(channel)


@pytest.fixture(scope="module")
def request_for(apis):
    import tensorflow as tf

    def make(rows=1, *, signature="", **changes):
        request = apis.predict_pb2.PredictRequest()
        request.model_spec.name = "toy"
        request.model_spec.signature_name = signature
        values = {
            "image_bytes": [b"hello"] * rows,
            "text": [b"red mug"] * rows,
            "price": np.full(rows, 2.5, np.float32),
            **changes,
        }
        for name, value in values.items():
            if value is not None:
                request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
        return request

    return make


def refused(call, request, code, message):
    with pytest.raises(grpc.RpcError) as caught:
        call(request, timeout=20)
    assert caught.value.code() == code, caught.value.details()
    assert message in caught.value.details()


def test_predict(predictions, request_for):
    response = predictions.Predict(request_for(3), timeout=20)
    assert response.model_spec.name == "toy"
    assert response.model_spec.version.value == 1
    assert response.model_spec.signature_name == "serving_default"
    scores = np.array(response.outputs["scores"].float_val).reshape(3, 5)
    raw = np.exp(np.sin((7 + 2.5 + 0.5) * np.arange(1.0, 6.0)))
    np.testing.assert_allclose(scores, [raw / raw.sum()] * 3, atol=1e-5)
    assert [dim.size for dim in response.outputs["labels"].tensor_shape.dim] == [3, 5]


def test_output_filter(predictions, request_for):
    request = request_for()
    request.output_filter.append("scores")
    assert list(predictions.Predict(request, timeout=20).outputs) == ["scores"]
    request.output_filter.append("nope")
    message = "output tensor alias not found in signature: nope"
    refused(predictions.Predict, request, grpc.StatusCode.INVALID_ARGUMENT, message)
    request.output_filter[1] = "scores"
    message = "duplicate output tensor alias: scores"
    refused(predictions.Predict, request, grpc.StatusCode.INVALID_ARGUMENT, message)


def test_tensor_content_equals_values(predictions, request_for):
    plain = predictions.Predict(request_for(2), timeout=20)
    request = request_for(2)
    price = request.inputs["price"]
    price.ClearField("float_val")
    price.tensor_content = np.full(2, 2.5, np.float32).tobytes()
    text = request.inputs["text"]
    text.ClearField("string_val")
    text.tensor_content = bytes([7, 7]) + b"red mugred mug"
    assert predictions.Predict(request, timeout=20) == plain


def test_fewer_values_repeat_the_last(predictions, request_for):
    plain = predictions.Predict(request_for(4), timeout=20)
    request = request_for(4)
    del request.inputs["text"].string_val[1:]
    del request.inputs["price"].float_val[1:]
    assert predictions.Predict(request, timeout=20) == plain


def test_refused_inputs(predictions, request_for, apis):
    invalid = grpc.StatusCode.INVALID_ARGUMENT

    def check(request, message, code=invalid):
        refused(predictions.Predict, request, code, message)

    check(apis.predict_pb2.PredictRequest(), "Missing ModelSpec")
    request = request_for()
    request.model_spec.name = ""
    request.model_spec.signature_name = "x"
    check(request, "ModelSpec has no name specified.")
    check(
        request_for(signature="nope"),
        'Serving signature key "nope" not found.',
        grpc.StatusCode.FAILED_PRECONDITION,
    )
    check(
        request_for(price=None),
        "input size does not match signature: 2!=3 len({image_bytes,text}) != "
        "len({image_bytes,price,text}). Sent extra: {}. Missing but required: {price}.",
    )
    check(request_for(extra=[1.0]), "Sent extra: {extra}")
    check(request_for(price=[b"a"]), "to be float but string is provided")
    check(request_for(price=[[1.0]]), "must have the shape [?]. Received: [1,1]")
    check(request_for(price=[1.0, 2.0]), "equal 0th-dimension size")
    check(request_for(65), "Task size 65 is larger than maximum input batch size 64")
    check(request_for(text=[b"poison"]), "poison")
    request = request_for()
    request.inputs["text"].tensor_shape.dim[0].size = 1 << 40
    check(request, "tensor parsing error: text")
    request.inputs["text"].tensor_shape.dim[0].size = -1
    check(request, "tensor parsing error: text")


def test_unknown_models_versions_and_labels(predictions, request_for):
    request = request_for()
    request.model_spec.version.CopyFrom(wrappers_pb2.Int64Value(value=9))
    message = "Servable not found for request: Specific(toy, 9)"
    refused(predictions.Predict, request, grpc.StatusCode.NOT_FOUND, message)
    request.model_spec.version_label = "canary"
    message = "Unrecognized servable version label: canary"
    refused(predictions.Predict, request, grpc.StatusCode.INVALID_ARGUMENT, message)
    request = request_for()
    request.model_spec.name = "other"
    message = "Servable not found for request: Latest(other)"
    refused(predictions.Predict, request, grpc.StatusCode.NOT_FOUND, message)


def test_bytes_that_are_no_message(channel):
    call = channel.unary_unary("/tensorflow.serving.PredictionService/Predict")
    refused(call, b"\xff\xff\xff", grpc.StatusCode.INVALID_ARGUMENT, "not a message")
    call = channel.unary_unary("/tensorflow.serving.PredictionService/Nope")
    refused(call, b"", grpc.StatusCode.UNIMPLEMENTED, "")


def test_other_methods_say_why_not(predictions, apis):
    spec = {"name": "toy"}
    request = apis.classification_pb2.ClassificationRequest(model_spec=spec)
    request.input.example_list.examples.add()
    message = "Expected classification signature method_name to be"
    refused(predictions.Classify, request, grpc.StatusCode.INVALID_ARGUMENT, message)
    request = apis.regression_pb2.RegressionRequest(model_spec=spec)
    message = "Expected regression signature method_name to be"
    refused(predictions.Regress, request, grpc.StatusCode.INVALID_ARGUMENT, message)
    request = apis.inference_pb2.MultiInferenceRequest()
    message = "Send one Predict for each signature."
    refused(predictions.MultiInference, request, grpc.StatusCode.UNIMPLEMENTED, message)


def test_metadata(predictions, apis):
    request = apis.get_model_metadata_pb2.GetModelMetadataRequest(model_spec={"name": "toy"})
    invalid = grpc.StatusCode.INVALID_ARGUMENT
    message = "must specify at least one metadata_field"
    refused(predictions.GetModelMetadata, request, invalid, message)
    request.metadata_field.append("nope")
    message = "Metadata field nope is not supported"
    refused(predictions.GetModelMetadata, request, invalid, message)
    request.metadata_field[0] = "signature_def"
    response = predictions.GetModelMetadata(request, timeout=20)
    found = apis.get_model_metadata_pb2.SignatureDefMap()
    assert response.metadata["signature_def"].Unpack(found)
    assert {"serving_default", "typed", "single"} <= set(found.signature_def)
    assert response.model_spec.version.value == 1


def test_health(channel):
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    stub = health_pb2_grpc.HealthStub(channel)
    for name in ("", "tensorflow.serving.PredictionService"):
        answer = stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=20)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_rest_answers_the_same(running, predictions, request_for):
    response = predictions.Predict(request_for(2), timeout=20)
    row = {"image_bytes": "hello", "text": "red mug", "price": 2.5}
    answer = running.post("/v1/models/toy:predict", {"instances": [row] * 2})[1]
    scores = [row["scores"] for row in answer["predictions"]]
    np.testing.assert_array_equal(
        np.array(scores, np.float32).ravel(),
        np.array(response.outputs["scores"].float_val, np.float32),
    )


def test_reload_config(run_server, settings_for, toy, apis, write_toy, tmp_path, request_for):
    write_toy(tmp_path / "other" / "5", "other")
    write_toy(tmp_path / "other" / "6", "newer")
    with run_server(settings_for(toy)) as server, grpc.insecure_channel(server.target) as channel:
        models = apis.model_service_pb2_grpc.ModelServiceStub(channel)
        request = apis.model_management_pb2.ReloadConfigRequest()
        message = "Only ModelConfigList is currently supported"
        invalid = grpc.StatusCode.INVALID_ARGUMENT
        refused(models.HandleReloadConfigRequest, request, invalid, message)
        config = request.config.model_config_list.config.add(
            name="other", base_path="relative", model_platform="tensorflow"
        )
        message = "to have an absolute path"
        refused(models.HandleReloadConfigRequest, request, invalid, message)
        config.base_path = str(tmp_path / "other")
        config.model_version_policy.specific.versions.extend([5, 6])
        config.version_labels["stable"] = 5
        config.version_labels["canary"] = 6
        models.HandleReloadConfigRequest(request, timeout=60)
        status = apis.get_model_status_pb2.GetModelStatusRequest(model_spec={"name": "other"})
        states = models.GetModelStatus(status, timeout=20).model_version_status
        assert {(state.version, state.state) for state in states} == {(5, 30), (6, 30)}
        row = {"image_bytes": "", "text": "a", "price": 1}
        for label, tag in (("stable", "other"), ("canary", "newer")):
            path = f"/v1/models/other/labels/{label}:predict"
            answer = server.post(path, {"instances": [row]})[1]
            assert answer["predictions"][0]["label"].startswith(tag)
        assert server.post("/v1/models/toy:predict", {"instances": [row]})[0] == 404
        config.version_labels["canary"] = 9
        message = "which is not currently available for inference"
        failed = grpc.StatusCode.FAILED_PRECONDITION
        refused(models.HandleReloadConfigRequest, request, failed, message)
