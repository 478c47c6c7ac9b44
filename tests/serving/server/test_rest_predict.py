import base64
import gzip
import json

import numpy as np
import pytest

PREDICT = "/v1/models/toy:predict"
ROW = {"image_bytes": {"b64": "aGVsbG8="}, "text": "red mug", "price": 2.5}


def expected(length, price, size):
    base = length + price + 0.1 * size
    raw = np.exp(np.sin(base * np.arange(1.0, 6.0)))
    return raw / raw.sum()


def test_row_format_answers_an_object_for_each_row(running):
    rows = [ROW, {**ROW, "text": "x"}]
    status, answer = running.post(PREDICT, {"instances": rows})
    assert status == 200
    assert list(answer) == ["predictions"]
    first, second = answer["predictions"]
    assert set(first) == {"label", "confidence", "scores", "labels"}
    np.testing.assert_allclose(first["scores"], expected(7, 2.5, 5), atol=1e-5)
    np.testing.assert_allclose(second["scores"], expected(1, 2.5, 5), atol=1e-5)
    assert first["label"] == f"v1 class {np.argmax(first['scores'])}"
    assert first["labels"] == [f"v1 class {at}" for at in range(5)]


def test_column_format_answers_an_array_for_each_output(running):
    columns = {"image_bytes": ["", ""], "text": ["red mug", "x"], "price": [1, 2.0]}
    status, answer = running.post(PREDICT, {"inputs": columns})
    assert status == 200
    assert list(answer) == ["outputs"]
    np.testing.assert_allclose(
        answer["outputs"]["scores"], [expected(7, 1, 0), expected(1, 2, 0)], atol=1e-5
    )


@pytest.mark.parametrize("path", ["/versions/1", ""])
def test_version_path(running, path):
    assert running.post(f"/v1/models/toy{path}:predict", {"instances": [ROW]})[0] == 200


def test_nan_is_a_number_and_what_follows_the_object_is_ignored(running):
    body = b'  {"instances": [{"image_bytes": "", "text": "ab", "price": NaN}]} trailing'
    status, answer = running.post(PREDICT, body)
    assert status == 200
    np.testing.assert_allclose(answer["predictions"][0]["scores"], expected(2, 0, 0), atol=1e-5)


def test_single_input_and_output_need_no_names(running):
    body = {"signature_name": "single", "instances": [1.5, 2]}
    assert running.post(PREDICT, body) == (200, {"predictions": [3.0, 4.0]})
    body = {"signature_name": "single", "inputs": [1.5, 2]}
    assert running.post(PREDICT, body) == (200, {"outputs": [3.0, 4.0]})
    body = {"signature_name": "single", "inputs": {"x": [1.5, 2]}}
    assert running.post(PREDICT, body) == (200, {"outputs": [3.0, 4.0]})


def test_values_are_written_as_tf_serving_writes_them(running):
    body = b'{"signature_name": "typed", "instances": [[NaN, 0.1], [Infinity, -Infinity]]}'
    status, answer = running.post(PREDICT, body)
    assert status == 200
    first, second = answer["predictions"]
    assert np.isnan(first["same"][0])
    assert first["same"][1] == 0.1  # the float32's own digits, not 0.10000000149
    assert second["same"] == [float("inf"), -float("inf")]
    assert second["positive"] == [True, False]
    assert base64.b64decode(first["text_bytes"]["b64"]) == b"nan"
    body = {"signature_name": "typed", "instances": [[3, 0.1]]}
    (row,) = running.post(PREDICT, body)[1]["predictions"]
    assert row["whole"] == [3, 0]
    assert row["same"] == [3.0, 0.1]


def test_base64_may_have_blanks_and_no_padding(running):
    answers = [
        running.post(PREDICT, {"instances": [{**ROW, "image_bytes": {"b64": text}}]})[1]
        for text in ("aGVsbG8=", "aGVsbG8", "aGVs bG8=")
    ]
    assert answers[0] == answers[1] == answers[2]


def test_gzip_is_read(running):
    body = gzip.compress(json.dumps({"instances": [ROW]}).encode())
    status, _ = running.post(PREDICT, body, headers={"Content-Encoding": "gzip"})
    assert status == 200


def test_status_and_metadata(running):
    status, answer = running.get("/v1/models/toy")
    assert (status, answer) == (
        200,
        {
            "model_version_status": [
                {
                    "version": "1",
                    "state": "AVAILABLE",
                    "status": {"error_code": "OK", "error_message": ""},
                }
            ]
        },
    )
    assert running.get("/v1/models/toy/versions/1") == (200, answer)
    status, answer = running.get("/v1/models/toy/metadata")
    assert status == 200
    assert answer["model_spec"]["version"] == "1"
    signature = answer["metadata"]["signature_def"]["signature_def"]["serving_default"]
    assert signature["inputs"]["price"]["dtype"] == "DT_FLOAT"
    assert signature["inputs"]["price"]["tensor_shape"]["dim"] == [{"size": "-1", "name": ""}]
    assert signature["method_name"] == "tensorflow/serving/predict"


def test_probes_and_metrics(running):
    assert running.get("/healthz")[0] == 200
    assert running.get("/readyz")[0] == 200
    running.post(PREDICT, {"instances": [ROW]})
    running.post("/v1/models/made-up-name:predict", {"instances": [ROW]})
    for path in ("/metrics", "/monitoring/prometheus/metrics"):
        text = running.get(path)[1].decode()
        assert (
            'taxofuse_requests_total{code="OK",method="predict",model="toy",protocol="rest"}'
            in text
        )
        assert 'taxofuse_version_state{model="toy",state="AVAILABLE",version="1"} 1.0' in text
        assert "taxofuse_batch_rows_bucket" in text
        assert "made-up-name" not in text
