"""Arrays as the protocol's tensors and back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from serving.client.errors import ServingError
from serving.client.messages import TensorProto

STRING = 7
# Number of the type in the protocol: NumPy's type, and the field that holds values one by one.
_TYPES: dict[int, tuple[Any, str]] = {
    1: (np.float32, "float_val"),
    2: (np.float64, "double_val"),
    3: (np.int32, "int_val"),
    4: (np.uint8, "int_val"),
    5: (np.int16, "int_val"),
    6: (np.int8, "int_val"),
    9: (np.int64, "int64_val"),
    10: (np.bool_, "bool_val"),
    19: (np.float16, "half_val"),
}
_NUMBERS = {np.dtype(dtype): number for number, (dtype, _) in _TYPES.items()}
TYPE_NAMES = {
    "DT_FLOAT": 1,
    "DT_DOUBLE": 2,
    "DT_INT32": 3,
    "DT_UINT8": 4,
    "DT_INT16": 5,
    "DT_INT8": 6,
    "DT_STRING": STRING,
    "DT_INT64": 9,
    "DT_BOOL": 10,
    "DT_HALF": 19,
}
"""As REST writes the types."""


def to_tensor(values: np.ndarray) -> Any:
    """Returns the message of an array; an array of objects holds `bytes`.

    Raises:
        ValueError: for a type that the protocol has no number for here.
    """
    tensor = TensorProto()
    for size in values.shape:
        tensor.tensor_shape.dim.add(size=size)
    if values.dtype == object:
        tensor.dtype = STRING
        tensor.string_val.extend(values.ravel().tolist())
        return tensor
    if values.dtype not in _NUMBERS:
        raise ValueError(
            f"A tensor must be of bytes or one of {sorted(map(str, _NUMBERS))}. "
            f"Received: an array of {values.dtype}."
        )
    tensor.dtype = _NUMBERS[values.dtype]
    tensor.tensor_content = values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes()
    return tensor


def from_tensor(tensor: Any) -> np.ndarray:
    """Returns the array of a message; strings as `bytes` in an array of objects.

    Raises:
        ServingError: for a tensor whose type or number of values makes no sense.
    """
    shape = tuple(dim.size for dim in tensor.tensor_shape.dim)
    if tensor.dtype == STRING:
        return _fill(as_objects(tensor.string_val), shape)
    if tensor.dtype not in _TYPES:
        raise ServingError(
            "INTERNAL", f"the answer has a tensor of the unknown type {tensor.dtype}"
        )
    dtype, field = _TYPES[tensor.dtype]
    if tensor.tensor_content:
        little = np.dtype(dtype).newbyteorder("<")
        return _fill(np.frombuffer(tensor.tensor_content, little).astype(dtype), shape)
    values = getattr(tensor, field)
    if field == "half_val":  # bits
        return _fill(np.array(values, np.uint16).view(np.float16), shape)
    return _fill(np.array(values, dtype), shape)


def as_objects(values: Sequence[Any]) -> np.ndarray:
    """Returns a vector of objects: an array of bytes would cut off zeros at their end."""
    array = np.empty(len(values), object)
    array[:] = values
    return array


def _fill(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    size = math.prod(shape)
    # The protocol lets a last value stand for all that follow it.
    if 0 < len(values) < size:
        values = np.concatenate([values, np.repeat(values[-1:], size - len(values))])
    if len(values) != size:
        raise ServingError(
            "INTERNAL", f"the answer has a tensor of shape {shape} with {len(values)} values"
        )
    return values.reshape(shape)
