"""Status and message of each error, as TF Serving's sources have them."""

import gzip
import json

import pytest

PREDICT = "/v1/models/toy:predict"
ROW = {"image_bytes": "", "text": "red mug", "price": 2.5}


def row(**changes):
    return {"instances": [{**ROW, **changes}]}


BODIES = {
    "empty": (b"", "JSON Parse error: The document is empty"),
    "malformed": (b'{"instances": [', "JSON Parse error: "),
    "not utf-8": (b'{"instances": ["\xff"]}', "JSON Parse error: Invalid encoding"),
    "no object": ([1], "JSON Value: [1] Is not object"),
    "missing": ({"other": 1}, "Missing 'inputs' or 'instances' key"),
    "both": ({"instances": [ROW], "inputs": {}}, "expecting only one of 'inputs' or 'instances'"),
    "no list": ({"instances": 1}, "Expecting 'instances' to be an list/array"),
    "no rows": ({"instances": []}, "No values in 'instances' array"),
    "plain list": ({"instances": [1]}, "instances is a plain list, but expecting list of objects"),
    "plain inputs": ({"inputs": [1]}, "inputs is a plain value/list, but expecting an object"),
    "mixed": ({"instances": [ROW, 1]}, "Expecting object but got list at item 1 of input list"),
    "unknown input": (
        row(color="red"),
        "Failed to process element: 0 key: color of 'instances' list. Error: INVALID_ARGUMENT: "
        "JSON object: does not have named input: color",
    ),
    "missing input": (
        {"instances": [{"text": "x"}]},
        "keys must be equal to: image_bytes,price,text",
    ),
    "missing column": ({"inputs": {"text": ["x"]}}, "Missing named input: image_bytes"),
    "number for text": (row(text=1), "JSON Value: 1 Type: Number is not of expected type: string"),
    "text for number": (
        row(price="1"),
        'JSON Value: "1" Type: String is not of expected type: float',
    ),
    "null": (row(price=None), "JSON Value: null Type: Null is not of expected type: float"),
    "bool for number": (row(price=True), "Type: True is not of expected type: float"),
    "bad base64": (row(image_bytes={"b64": "a*b"}), "Unable to base64 decode"),
    "no base64": (row(image_bytes={"b65": "ab"}), "not formatted correctly for base64 data"),
    "two keys": (
        row(image_bytes={"b64": "ab", "x": 1}),
        "not formatted correctly for base64 data",
    ),
    "base64 of a number": (row(price={"b64": "ab"}), "is not of expected type: float"),
    "shape": (row(text=["a"]), "Input 'text' must have the shape [?]. Received: [1,1]"),
    "differing shapes": (
        {"instances": [ROW, {**ROW, "text": ["a"]}]},
        "Expecting shape [] but got: [1]",
    ),
    "ragged": (
        {"signature_name": "typed", "inputs": [[1, 2], [1]]},
        "Encountered list at unexpected size: 1 at level: 1 expected size: 2",
    ),
    "wrong level": (
        {"signature_name": "typed", "inputs": [[1, 2], 1]},
        "found at incorrect level: 2 in the JSON DOM. Expected at level: 2",
    ),
    "differing rows": (
        {"inputs": {"image_bytes": [""], "text": ["a", "b"], "price": [1]}},
        "input tensors must have equal 0th-dimension size",
    ),
    "signature name": (
        {"signature_name": 1, "instances": [ROW]},
        "'signature_name' key must be a string value.",
    ),
    "unknown signature": (
        {"signature_name": "nope", "instances": [ROW]},
        'Serving signature name: "nope" not found in signature def',
    ),
    "deep": (b'{"instances": ' + b"[" * 5000 + b"]" * 5000 + b"}", "nested too deeply"),
    "deeper than a tensor": (
        b'{"signature_name": "single", "instances": ' + b"[" * 100 + b"]" * 100 + b"}",
        "nested deeper",
    ),
    "too many rows": ({"instances": [ROW] * 65}, "Task size 65 is larger than maximum input"),
    "refused by the graph": (row(text="poison"), "poison"),
}


@pytest.mark.parametrize("name", BODIES)
def test_bad_bodies(running, name):
    body, message = BODIES[name]
    status, answer = running.post(PREDICT, body)
    assert status == 400
    assert list(answer) == ["error"]
    assert message in answer["error"], answer["error"]


PATHS = {
    ("POST", "/v1/models/other:predict"): (404, "Servable not found for request: Latest(other)"),
    ("POST", "/v1/models/toy/versions/7:predict"): (
        404,
        "Servable not found for request: Specific(toy, 7)",
    ),
    ("POST", "/v1/models/toy/versions/99999999999999999999:predict"): (
        400,
        "Failed to convert version: 99999999999999999999 to numeric.",
    ),
    ("POST", "/v1/models/toy/labels/canary:predict"): (
        400,
        "Unrecognized servable version label: canary",
    ),
    ("POST", "/v1/models/toy:frobnicate"): (
        400,
        "Malformed request: POST /v1/models/toy:frobnicate",
    ),
    ("POST", "/v1/models/toy"): (400, "Malformed request: POST /v1/models/toy"),
    ("POST", "/v1/models/toy/versions/x:predict"): (400, "Malformed request"),
    ("GET", "/v1/models/toy:predict"): (400, "Malformed request: GET /v1/models/toy:predict"),
    ("PUT", "/v1/models/toy:predict"): (400, "Malformed request: PUT /v1/models/toy:predict"),
    ("DELETE", "/v1/models/toy"): (400, "Malformed request: DELETE /v1/models/toy"),
    ("GET", "/v1/models"): (400, "Missing model name in request."),
    ("GET", "/v1/models/other"): (404, "Could not find any versions of model other"),
    ("GET", "/v1/models/toy/versions/7"): (404, "Could not find version 7 of model toy"),
    ("GET", "/v1/models/other/metadata"): (404, "Servable not found for request: Latest(other)"),
    ("GET", "/elsewhere"): (404, "Not found: /elsewhere"),
    ("GET", "/../../etc/passwd"): (404, "Not found"),
}


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_paths(running, method, path):
    status, message = PATHS[method, path]
    body = json.dumps({"instances": [ROW]}).encode() if method in ("POST", "PUT") else None
    found, answer = (
        running.get(path, method=method)
        if body is None
        else running.post(path, body, method=method)
    )
    assert found == status
    assert message in answer["error"]


def test_classify_and_regress_say_what_the_signature_is(running):
    body = {"examples": [{"text": "x"}]}
    assert running.post("/v1/models/toy:classify", body) == (
        400,
        {
            "error": "Expected classification signature method_name to be "
            "tensorflow/serving/classify. Was: tensorflow/serving/predict"
        },
    )
    assert running.post("/v1/models/toy:regress", body) == (
        400,
        {
            "error": "Expected regression signature method_name to be "
            "tensorflow/serving/regress. Was: tensorflow/serving/predict"
        },
    )
    status, answer = running.post("/v1/models/toy:classify", {})
    assert status == 400
    assert "key 'examples' is expected and was not found" in answer["error"]
    body = {"examples": [{"text": [1, "a"]}]}
    status, answer = running.post("/v1/models/toy:classify", body)
    assert "Unexpected element type in feature: text expecting type: int64" in answer["error"]


def test_content_encoding_that_is_none(running):
    status, answer = running.post(PREDICT, b"not gzip at all", headers={"Content-Encoding": "gzip"})
    assert status == 400
    assert "cannot be read" in answer["error"]


def test_bodies_beyond_the_limit(run_server, settings_for, toy):
    from serving.server.settings import Limits

    bomb = gzip.compress(b" " * 30_000_000)
    with run_server(settings_for(toy, limits=Limits(body=1 << 20))) as server:
        status, answer = server.post(PREDICT, b" " * ((1 << 20) + 1))
        assert status == 413
        assert "larger than 1048576 bytes" in answer["error"]
        status, answer = server.post(PREDICT, bomb, headers={"Content-Encoding": "gzip"})
        assert status == 413
        assert server.post(PREDICT, {"instances": [ROW]})[0] == 200
