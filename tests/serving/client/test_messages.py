"""The messages are the protocol's, byte for byte, beside the official classes."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from serving.client.grpc_calls import build_request
from serving.client.messages import MESSAGES, GetModelMetadataResponse, SignatureDefMap
from serving.client.protocol import ModelName
from serving.client.tensors import as_objects, from_tensor, to_tensor

ROOT = Path(__file__).parents[3]
HEAVY = ("tensorflow", "tensorflow_serving", "keras", "pandas", "scipy", "PIL", "aiohttp")


@pytest.fixture(scope="module")
def official():
    """Returns the official class of a message by full name."""
    # They enter the default pool by being imported.
    from google.protobuf import descriptor_pool, message_factory
    from tensorflow_serving.apis import model_service_pb2, prediction_service_pb2

    assert model_service_pb2.DESCRIPTOR.pool is prediction_service_pb2.DESCRIPTOR.pool

    def find(full_name):
        found = descriptor_pool.Default().FindMessageTypeByName(full_name)
        return message_factory.GetMessageClass(found)

    return find


@pytest.mark.parametrize("name", MESSAGES)
def test_fields_are_those_of_the_protocol(official, name):
    ours, theirs = MESSAGES[name].DESCRIPTOR, official(name).DESCRIPTOR
    assert theirs.full_name == name
    enum, whole = 14, 5
    for field in ours.fields:
        other = theirs.fields_by_name[field.name]
        assert field.number == other.number
        assert field.type == (whole if other.type == enum else other.type)
        assert field.is_repeated == other.is_repeated
        if field.message_type:
            assert field.message_type.full_name == other.message_type.full_name


def test_requests_are_equal_bytes_and_read_alike(official):
    inputs = {
        "image_bytes": as_objects([b"\xff\xd8\x00", b""]),
        "price": np.array([1.5, np.nan], np.float32),
    }
    for model in (ModelName("m"), ModelName("m", 3), ModelName("m", label="stable")):
        ours = build_request(model, "explain", inputs).SerializeToString(deterministic=True)
        theirs = official("tensorflow.serving.PredictRequest").FromString(ours)
        assert theirs.SerializeToString(deterministic=True) == ours
        assert theirs.model_spec.signature_name == "explain"
        assert theirs.model_spec.WhichOneof("version_choice") == (
            "version" if model.version else "version_label" if model.label else None
        )
        assert list(theirs.inputs["image_bytes"].string_val) == [b"\xff\xd8\x00", b""]


def test_tensors_of_tensorflow_are_read_and_ours_by_it(official):
    import tensorflow as tf

    for array in (
        np.arange(6, dtype=np.float32).reshape(2, 3),
        np.array([True, False]),
        np.array([2**40], np.int64),
        np.zeros((0, 2), np.float16),
    ):
        theirs = tf.make_tensor_proto(array)
        ours = MESSAGES["tensorflow.TensorProto"].FromString(theirs.SerializeToString())
        np.testing.assert_array_equal(from_tensor(ours), array)
        back = official("tensorflow.TensorProto").FromString(to_tensor(array).SerializeToString())
        np.testing.assert_array_equal(tf.make_ndarray(back), array)
    strings = tf.make_tensor_proto([[b"a\x00", b""]])
    ours = MESSAGES["tensorflow.TensorProto"].FromString(strings.SerializeToString())
    assert from_tensor(ours).tolist() == [[b"a\x00", b""]]


def test_official_metadata_and_status_are_read(official):
    found = official("tensorflow.serving.SignatureDefMap")()
    found.signature_def["serving_default"].inputs["text"].dtype = 7
    found.signature_def["serving_default"].inputs["text"].coo_sparse.values_tensor_name = "x"
    answer = official("tensorflow.serving.GetModelMetadataResponse")()
    answer.metadata["signature_def"].Pack(found)
    ours = GetModelMetadataResponse.FromString(answer.SerializeToString())
    packed = SignatureDefMap.FromString(ours.metadata["signature_def"].value)
    assert packed.signature_def["serving_default"].inputs["text"].dtype == 7
    status = official("tensorflow.serving.GetModelStatusResponse")()
    status.model_version_status.add(version=3, state="LOADING").status.error_message = "no"
    ours = MESSAGES["tensorflow.serving.GetModelStatusResponse"].FromString(
        status.SerializeToString()
    )
    [one] = ours.model_version_status
    assert (one.version, one.state, one.status.error_message) == (3, 20, "no")


def test_the_client_names_no_heavy_package():
    for path in (ROOT / "serving" / "client").glob("*.py"):
        named = re.findall(r"^\s*(?:from|import) (\w+)", path.read_text("utf-8"), re.MULTILINE)
        assert not set(named) & set(HEAVY), path


def test_the_client_loads_without_tensorflow():
    code = (
        "import sys; from serving.client import Client; Client('grpc://h:1'); Client('http://h:1');"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
