"""What a version runs before it is asked: first runs are slow, and costs get known."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from serving.server.signature import Arrays, Signature, TensorSpec

RECORDS = Path("assets.extra") / "tf_serving_warmup_requests"
"""Where TF Serving looks for requests to play."""
MAX_RECORDS = 1000
"""As TF Serving's own limit."""
_LOG = logging.getLogger(__name__)
_GOOD_ENOUGH = 1.1
_AT_LEAST = 0.1
"""Seconds in which the cost of batches is looked into."""
"""Of the lowest cost for each row: a smaller batch within it is as good and answers sooner."""


def warm_up(folder: Path, signatures: Mapping[str, Signature], sizes: list[int]) -> int:
    """Runs what the version brings with it, or else rows of absent values.

    Args:
        folder: Version folder.
        signatures: Of the loaded model.
        sizes: Batch sizes of the rows of absent values.

    Returns:
        The number of requests run.
    """
    count = 0
    played: set[str] = set()
    for name, inputs in read_records(folder / RECORDS):
        if name not in signatures:
            _LOG.warning("%s: a warm-up request is for the unknown signature %r.", folder, name)
            continue
        signatures[name].check(inputs)
        signatures[name].call(inputs)
        played.add(name)
        count += 1
    for name in signatures.keys() - played:
        for size in sizes:
            signatures[name].call(absent_rows(signatures[name], size))
            count += 1
    return count


def read_records(path: Path) -> Iterator[tuple[str, Arrays]]:
    """Yields signature name and inputs of each recorded request, if there are any.

    Raises:
        ServingError: if a recorded tensor is malformed.
    """
    if not path.is_file():
        return
    import tensorflow as tf
    from tensorflow_serving.apis import prediction_log_pb2

    from serving.server.rpc.tensors import read_tensor

    dataset = tf.data.TFRecordDataset(str(path)).take(MAX_RECORDS)
    for record in dataset.as_numpy_iterator():
        log = prediction_log_pb2.PredictionLog.FromString(record)
        if log.WhichOneof("log_type") != "predict_log":
            _LOG.warning("%s: only predict_log is played.", path)
            continue
        request = log.predict_log.request
        name = request.model_spec.signature_name or "serving_default"
        yield name, {key: read_tensor(key, proto) for key, proto in request.inputs.items()}


def absent_rows(signature: Signature, rows: int) -> Arrays:
    """Returns inputs in which every value is absent: empty strings, NaN, zeros."""
    return {name: _absent(spec, rows) for name, spec in signature.inputs.items()}


def _absent(spec: TensorSpec, rows: int) -> np.ndarray:
    shape = [
        rows if spec.batched and at == 0 else size or 1 for at, size in enumerate(spec.shape or ())
    ]
    if spec.dtype == object:
        return np.full(shape, b"", object)
    if np.issubdtype(spec.dtype, np.floating):
        return np.full(shape, np.nan, spec.dtype)
    return np.zeros(shape, spec.dtype)


def measure_limit(signature: Signature, max_batch: int, repeats: int = 3) -> int:
    """Finds how many rows are worth joining.

    A large encoder costs as much for each row however many there are; joining
    rows would only make each wait for the others. What a small model costs is
    mostly the call, which a batch pays once.

    Returns:
        The smallest power of 2 whose CPU time for each row is about the lowest.
    """
    if not signature.batched:
        return 1
    costs: dict[int, float] = {}
    size, in_vain, started = 1, 0, time.perf_counter()
    # Two doublings that gain nothing: the third of a large model would not either, and
    # start-up waits. In a small one a second row may cost more than the first, because
    # TensorFlow wakes its threads for it, and the others next to nothing.
    while size <= max_batch and (in_vain < 2 or time.perf_counter() - started < _AT_LEAST):
        inputs = absent_rows(signature, size)
        signature.call(inputs)
        # CPU time: on several cores a batch is faster than its rows without being cheaper,
        # and under load the other cores have work of their own.
        cost = min(_cpu_seconds(signature, inputs) for _ in range(repeats)) / size
        in_vain = in_vain + 1 if costs and cost * _GOOD_ENOUGH > min(costs.values()) else 0
        costs[size] = cost
        size *= 2
    lowest = min(costs.values())
    return min(size for size, cost in costs.items() if cost <= lowest * _GOOD_ENOUGH)


def _cpu_seconds(signature: Signature, inputs: Arrays) -> float:
    start = time.process_time()
    signature.call(inputs)
    return time.process_time() - start
