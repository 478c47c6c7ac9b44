import logging
import time
from pathlib import Path

import numpy as np
import pytest

from serving.server.signature import Signature, TensorSpec
from serving.server.warmup import absent_rows, measure_limit, warm_up

OUTPUTS = {"y": TensorSpec("y", np.dtype(np.float32), "float", (None,))}
INPUTS = {
    "text": TensorSpec("text", np.dtype(object), "string", (None,)),
    "price": TensorSpec("price", np.dtype(np.float32), "float", (None, 3)),
    "count": TensorSpec("count", np.dtype(np.int64), "int64", (None,)),
}


def burn(seconds):
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


def signature(fixed, per_row, calls=None):
    def call(arrays):
        rows = len(arrays["text"])
        if calls is not None:
            calls.append(rows)
        burn(fixed + per_row * rows)
        return {"y": np.zeros(rows, np.float32)}

    return Signature("s", INPUTS, OUTPUTS, "", call)


def test_absent_rows_have_the_shape_of_the_signature():
    rows = absent_rows(signature(0, 0), 4)
    assert rows["text"].tolist() == [b""] * 4
    assert rows["price"].shape == (4, 3)
    assert np.isnan(rows["price"]).all()
    assert rows["count"].tolist() == [0] * 4


def test_a_model_whose_calls_cost_is_joined():
    assert measure_limit(signature(0.004, 0.00001), 64) >= 32


def test_a_model_whose_rows_cost_is_not_joined():
    calls = []
    assert measure_limit(signature(0, 0.004, calls), 64) == 1
    assert max(calls) <= 8  # and little time is spent on finding out


def test_rows_of_absent_values_without_records(tmp_path):
    calls = []
    assert warm_up(tmp_path, {"s": signature(0, 0, calls)}, [1, 8]) == 2
    assert calls == [1, 8]


@pytest.fixture
def records(tmp_path):
    """Returns a version folder with warm-up requests for `s` and for a signature unknown."""
    import tensorflow as tf
    from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

    path = tmp_path / "assets.extra" / "tf_serving_warmup_requests"
    path.parent.mkdir()
    with tf.io.TFRecordWriter(str(path)) as writer:
        for name, rows in (("s", 3), ("gone", 1), ("s", 5)):
            request = predict_pb2.PredictRequest()
            request.model_spec.signature_name = name
            request.inputs["text"].CopyFrom(tf.make_tensor_proto([b"a"] * rows))
            price = np.ones((rows, 3), np.float32)
            request.inputs["price"].CopyFrom(tf.make_tensor_proto(price))
            request.inputs["count"].CopyFrom(tf.make_tensor_proto(np.ones(rows, np.int64)))
            log = prediction_log_pb2.PredictionLog(
                predict_log=prediction_log_pb2.PredictLog(request=request)
            )
            writer.write(log.SerializeToString())
    return Path(tmp_path)


def test_records_are_played(records, caplog):
    calls = []
    with caplog.at_level(logging.WARNING):
        assert warm_up(records, {"s": signature(0, 0, calls)}, [1]) == 2
    assert calls == [3, 5]
    assert "unknown signature 'gone'" in caplog.text
