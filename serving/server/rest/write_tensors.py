"""Outputs of a model as the JSON that TF Serving answers with."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import orjson

from serving.server.signature import Arrays
from serving.server.status import invalid

_BYTES_SUFFIX = "_bytes"
"""Of the name of an output whose strings are bytes, written as `{"b64": ...}`."""


def write_predictions(outputs: Arrays, *, rows: bool) -> bytes:
    """Writes an answer.

    Args:
        outputs: By name. One alone is written without its name.
        rows: `predictions`, one element for each row; else `outputs`, one for each output.

    Raises:
        ServingError: if rows are asked for and the outputs differ in their number.
    """
    bare = len(outputs) == 1
    if not rows:
        columns = {name: _to_json(name, array) for name, array in outputs.items()}
        return _dump({"outputs": next(iter(columns.values())) if bare else columns}, outputs)
    _check_rows(outputs)
    columns = {name: _split(name, array) for name, array in outputs.items()}
    if bare:
        return _dump({"predictions": next(iter(columns.values()))}, outputs)
    names = list(columns)
    predictions = [
        dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)
    ]
    return _dump({"predictions": predictions}, outputs)


def write_classes(classes: np.ndarray | None, scores: np.ndarray | None) -> bytes:
    """Writes `results`: for each example a list of class name and score.

    Args:
        classes: Bytes `(examples, classes)`, or None for empty names.
        scores: Float `(examples, classes)`, or None for zeros.
    """
    if classes is None:
        assert scores is not None
        classes = np.full(scores.shape, b"", object)
    if scores is None:
        scores = np.zeros(classes.shape, np.float32)
    results = [
        [[_write_text(name), score] for name, score in zip(names, row, strict=True)]
        for names, row in zip(classes.tolist(), scores, strict=True)
    ]
    return _dump({"results": results}, {"scores": scores})


def _check_rows(outputs: Arrays) -> None:
    sizes: set[int] = set()
    for name, array in outputs.items():
        if array.ndim == 0:
            raise invalid(f"Tensor name: {name} has no shape information ")
        if sizes and len(array) not in sizes:
            raise invalid(
                f"Tensor name: {name} has inconsistent batch size: {len(array)} "
                f"expecting: {sizes.pop()}"
            )
        sizes.add(len(array))


def _split(name: str, array: np.ndarray) -> Any:
    """Returns something of one JSON value for each row."""
    value = _to_json(name, array)
    # orjson writes contiguous rows of numbers much faster than lists of them.
    return list(value) if isinstance(value, np.ndarray) else value


def _to_json(name: str, array: np.ndarray) -> Any:
    if array.dtype == object:
        convert = _write_bytes if name.endswith(_BYTES_SUFFIX) else _write_text
        return _map(convert, array.tolist())
    return np.ascontiguousarray(array) if array.ndim else array[()]


def _map(convert: Any, value: Any) -> Any:
    if isinstance(value, list):
        return [_map(convert, item) for item in value]
    return convert(value)


def _write_bytes(value: bytes) -> dict[str, str]:
    return {"b64": base64.b64encode(value).decode("ascii")}


def _write_text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def _dump(document: dict[str, Any], outputs: Arrays) -> bytes:
    if all(np.isfinite(array).all() for array in outputs.values() if array.dtype.kind == "f"):
        return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)
    # orjson writes null for NaN; TF Serving writes NaN, which Python's json does too.
    return json.dumps(document, default=_to_exact_list, ensure_ascii=False).encode()


def _to_exact_list(value: Any) -> Any:
    """Returns lists of floats that are written with the digits of their own type."""
    if value.dtype.kind != "f":
        return value.tolist()
    flat = [float(str(item)) for item in value.ravel()]
    return np.array(flat).reshape(value.shape).tolist()
