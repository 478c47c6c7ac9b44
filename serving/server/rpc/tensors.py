"""TensorProto to NumPy and back, without TensorFlow's slower general way where it is plain."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from tensorflow.core.framework import tensor_pb2, types_pb2

from serving.server.signature import Arrays, TensorSpec
from serving.server.status import ServingError, invalid

MAX_ELEMENTS = 1 << 24
"""Of one tensor: a shape alone costs a client nothing to write."""

_VALUES: dict[int, tuple[str, Any]] = {
    types_pb2.DT_FLOAT: ("float_val", np.float32),
    types_pb2.DT_DOUBLE: ("double_val", np.float64),
    types_pb2.DT_INT64: ("int64_val", np.int64),
    types_pb2.DT_INT32: ("int_val", np.int32),
    types_pb2.DT_INT16: ("int_val", np.int16),
    types_pb2.DT_INT8: ("int_val", np.int8),
    types_pb2.DT_UINT8: ("int_val", np.uint8),
    types_pb2.DT_UINT16: ("int_val", np.uint16),
    types_pb2.DT_UINT32: ("uint32_val", np.uint32),
    types_pb2.DT_UINT64: ("uint64_val", np.uint64),
    types_pb2.DT_BOOL: ("bool_val", np.bool_),
}
_TYPE_NAMES = {
    number: name.removeprefix("DT_").lower() for name, number in types_pb2.DataType.items()
}
_FIELDS = {types_pb2.DT_STRING: "string_val", **{key: field for key, (field, _) in _VALUES.items()}}
_TYPES = {np.dtype(dtype): number for number, (_, dtype) in _VALUES.items()}


def read_tensor(name: str, proto: tensor_pb2.TensorProto) -> np.ndarray:
    """Reads a tensor.

    Args:
        name: str. For the error.
        proto: With its values in a field of their type or in `tensor_content`;
            of fewer values than elements the last one is repeated.

    Raises:
        ServingError: if shape and values do not go together, or the type is none
            that a request can have.
    """
    shape = tuple([dim.size for dim in proto.tensor_shape.dim])
    if proto.tensor_shape.unknown_rank or min(shape, default=0) < 0:
        raise _malformed(name, "its shape is not fully known")
    size = math.prod(shape)
    if size > MAX_ELEMENTS:
        raise _malformed(name, f"it has {size} elements; at most {MAX_ELEMENTS} are read")
    if proto.dtype == types_pb2.DT_STRING:
        if proto.tensor_content:
            return _strings(name, _split(name, proto.tensor_content, size), shape, size)
        return _strings(name, proto.string_val, shape, size)
    if proto.dtype not in _VALUES:
        raise _malformed(name, f"values of {_name_type(proto.dtype)} cannot be sent")
    field, dtype = _VALUES[proto.dtype]
    if proto.tensor_content:
        if len(proto.tensor_content) != size * np.dtype(dtype).itemsize:
            raise _malformed(name, f"tensor_content has {len(proto.tensor_content)} bytes")
        return np.frombuffer(proto.tensor_content, dtype).reshape(shape)
    values = np.fromiter(getattr(proto, field), np.int64 if field == "int_val" else dtype)
    return _fill(name, values.astype(dtype, copy=False), shape, size)


def write_tensor(array: np.ndarray, proto: tensor_pb2.TensorProto) -> None:
    """Fills a proto: strings in `string_val`, numbers in the field of their type.

    TF Serving does so by default, and clients read `float_val` directly.
    """
    number = types_pb2.DT_STRING if array.dtype.kind == "O" else _TYPES[array.dtype]
    proto.MergeFrom(_type_and_shape(number, array.shape))
    getattr(proto, _FIELDS[number]).extend(array.ravel().tolist())


@lru_cache(maxsize=1024)
def _type_and_shape(number: int, shape: tuple[int, ...]) -> tensor_pb2.TensorProto:
    """Returns a proto without values: answers have few shapes, and a copy is cheap."""
    dims = [{"size": size} for size in shape]
    return tensor_pb2.TensorProto(dtype=number, tensor_shape={"dim": dims})


def read_inputs(protos: Mapping[str, Any], specs: Mapping[str, TensorSpec]) -> Arrays:
    """Reads the inputs of a request; those of another type than the signature's are refused."""
    arrays = {}
    for name, proto in protos.items():
        spec = specs.get(name)
        if spec is not None and _name_type(proto.dtype) != spec.dtype_name:
            raise invalid(
                f"Expects arg {name!r} to be {spec.dtype_name} but {_name_type(proto.dtype)} "
                "is provided"
            )
        arrays[name] = read_tensor(name, proto)
    return arrays


def _name_type(number: int) -> str:
    """Returns TensorFlow's name of a type, as its errors have it: `string`, `float`."""
    return _TYPE_NAMES.get(number, f"type {number}")


def _strings(name: str, values: Iterable[bytes], shape: tuple[int, ...], size: int) -> np.ndarray:
    found = list(values)
    array = np.empty(len(found), object)
    array[:] = found
    return _fill(name, array, shape, size)


def _fill(name: str, values: np.ndarray, shape: tuple[int, ...], size: int) -> np.ndarray:
    count = len(values)
    if count > size:
        raise _malformed(name, f"it has {count} values for {size} elements")
    if count < size:
        # As TensorFlow reads it: none is the type's zero, the last stands for the rest.
        last = values[-1:] if count else _zero(values.dtype)
        values = np.concatenate([values, np.repeat(last, size - count)])
    return values.reshape(shape)


def _zero(dtype: np.dtype) -> np.ndarray:
    zero = np.zeros(1, dtype)
    if dtype.kind == "O":
        zero[0] = b""
    return zero


def _split(name: str, content: bytes, size: int) -> list[bytes]:
    """Reads strings of `tensor_content`: all lengths as varints, then all bytes."""
    lengths: list[int] = []
    at = 0
    while len(lengths) < size:
        value = shift = 0
        while True:
            if at >= len(content) or shift > 63:
                raise _malformed(name, "tensor_content ends within a length")
            byte = content[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        lengths.append(value)
    if at + sum(lengths) != len(content):
        raise _malformed(name, "tensor_content is not as long as its strings")
    values = []
    for length in lengths:
        values.append(content[at : at + length])
        at += length
    return values


def _malformed(name: str, why: str) -> ServingError:
    return invalid(f"tensor parsing error: {name}: {why}.")
