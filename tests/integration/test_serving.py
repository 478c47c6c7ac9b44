"""What `taxofuse serve` answers for a trained model, over both protocols."""

from __future__ import annotations

import base64
import json
import urllib.request
from pathlib import Path

import grpc
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_text  # noqa: F401  registers the tokenizer's operations
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from trainer.artefact import ModelCard, find_export
from trainer.data.examples import read_examples, row_ids
from trainer.data.table import read_table
from trainer.registry import MODALITIES

ROOT = Path(__file__).parents[2]
ROWS = 64


@pytest.fixture(scope="module")
def server(served):
    """Returns the URL of REST and the address of gRPC."""
    return served["REST"], served["gRPC"]


@pytest.fixture(scope="module")
def cases(trained, shop):
    """Returns raw values `(64,)` by input, by case: as they are, and each input absent."""
    card = ModelCard.load(find_export(trained.folder))
    table = read_table(shop)
    rows = list(read_examples(table, card.inputs, row_ids(table)))[:ROWS]
    assert len(rows) == ROWS
    dtypes = {spec.name: MODALITIES.get(spec.kind).dtype for spec in card.inputs}
    absent = {spec.name: MODALITIES.get(spec.kind).absent for spec in card.inputs}
    whole = {name: [row.values[name] for row in rows] for name in dtypes}
    cases = {"whole": whole}
    for name in dtypes:
        cases[f"no {name}"] = {**whole, name: [absent[name]] * ROWS}
    return cases, dtypes


@pytest.fixture(scope="module")
def expected(trained, cases):
    """Returns the outputs of the SavedModel itself by case."""
    loaded = tf.saved_model.load(str(find_export(trained.folder)))
    serve = loaded.signatures["serving_default"]
    found = {}
    for case, raw in cases[0].items():
        tensors = {name: tf.constant(value, cases[1][name]) for name, value in raw.items()}
        found[case] = {key: value.numpy() for key, value in serve(**tensors).items()}
    return found


def slices(raw, size):
    for start in range(0, ROWS, size):
        yield {name: values[start : start + size] for name, values in raw.items()}


@pytest.fixture(scope="module")
def over_grpc(server, cases):
    """Returns a function from case and batch size to outputs, asked with the official stub."""
    with grpc.insecure_channel(server[1]) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)

        def ask(case, size):
            parts = []
            for raw in slices(cases[0][case], size):
                request = predict_pb2.PredictRequest()
                request.model_spec.name = "taxofuse"
                for name, values in raw.items():
                    proto = tf.make_tensor_proto(values, cases[1][name])
                    request.inputs[name].CopyFrom(proto)
                response = stub.Predict(request, timeout=60)
                parts.append({k: tf.make_ndarray(v) for k, v in response.outputs.items()})
            return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}

        yield ask


def over_rest(url, raw):
    def encode(value):
        if isinstance(value, bytes):
            return {"b64": base64.b64encode(value).decode()}
        return float(value)

    rows = [
        {name: encode(values[at]) for name, values in raw.items()}
        for at in range(len(next(iter(raw.values()))))
    ]
    body = json.dumps({"instances": rows}).encode()
    with urllib.request.urlopen(url, body, timeout=60) as response:
        return json.load(response)["predictions"]


@pytest.mark.parametrize("size", [1, 2, 7, 32, 64])
def test_grpc_answers_as_the_model(over_grpc, expected, size):
    for case in expected if size == 64 else ["whole"]:
        found = over_grpc(case, size)
        assert found.keys() == expected[case].keys()
        for name in ("scores", "confidence"):
            np.testing.assert_allclose(
                found[name], expected[case][name], atol=1e-5, rtol=0, err_msg=case
            )
        assert found["labels"].tolist() == expected[case]["labels"].tolist()
        assert found["status"].tolist() == expected[case]["status"].tolist()
    assert len({scores["scores"].tobytes() for scores in expected.values()}) == len(expected)


def test_rest_answers_as_grpc(server, cases, over_grpc):
    for case, raw in cases[0].items():
        rows = over_rest(server[0], raw)
        found = over_grpc(case, 64)
        for name in found:
            values = [row[name] for row in rows]
            if found[name].dtype == object:
                assert values == np.char.decode(found[name].astype(bytes), "utf-8").tolist()
            else:
                np.testing.assert_allclose(values, found[name], atol=1e-6, rtol=0)


def test_a_file_that_is_no_picture_costs_only_its_row(server, cases):
    raw = {name: values[:3] for name, values in cases[0]["whole"].items()}
    picture = next(name for name, kind in cases[1].items() if name.startswith(("image", "picture")))
    spoilt = {**raw, picture: [raw[picture][0], b"plain text, renamed", raw[picture][2]]}
    rows = over_rest(server[0], spoilt)
    assert [row["status"] == "ok" for row in rows] == [True, False, True]
    plain = over_rest(server[0], raw)
    for at in (0, 2):
        np.testing.assert_allclose(rows[at]["scores"], plain[at]["scores"], atol=1e-5)
