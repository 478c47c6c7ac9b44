"""`instances` and `inputs` of a predict request, as arrays."""

from __future__ import annotations

import binascii
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from serving.server.rest.json_text import format_error, shorten, type_error
from serving.server.signature import Arrays, TensorSpec
from serving.server.status import Code, ServingError, invalid

_MAX_RANK = 32
_INTEGERS = {"int8", "uint8", "int16", "int32", "int64", "uint32", "uint64"}
Specs = Mapping[str, TensorSpec]


def read_predict(document: dict[str, Any], specs: Specs) -> tuple[Arrays, bool]:
    """Reads the inputs of a request.

    Args:
        document: The parsed body.
        specs: The signature's inputs.

    Returns:
        Arrays by input name, and whether they came in row format.

    Raises:
        ServingError: as TF Serving's json_tensor.cc has them.
    """
    if "instances" in document:
        if "inputs" in document:
            raise format_error(
                document,
                "Not formatted correctly expecting only one of 'inputs' or 'instances' keys "
                "to exist ",
            )
        instances = document["instances"]
        if not isinstance(instances, list):
            raise format_error(document, "Expecting 'instances' to be an list/array")
        if not instances:
            raise format_error(document, "No values in 'instances' array")
        return _read_rows(instances, specs), True
    if "inputs" in document:
        return _read_columns(document["inputs"], specs), False
    raise invalid("Missing 'inputs' or 'instances' key")


def _read_rows(instances: list[Any], specs: Specs) -> Arrays:
    first = instances[0]
    named = _is_named(first)
    if not named and len(specs) > 1:
        raise invalid(
            "instances is a plain list, but expecting list of objects as multiple input tensors "
            "required as per tensorinfo_map"
        )
    columns = {name: _Column(spec) for name, spec in specs.items()}
    only = next(iter(columns))
    for at, instance in enumerate(instances):
        if named != _is_named(instance):
            raise invalid(
                f"Expecting object but got list at item {at} of input list"
                if named
                else f"Expecting value/list but got object at item {at} of input list"
            )
        for name, value in instance.items() if named else ((only, instance),):
            try:
                if name not in columns:
                    raise invalid(f"JSON object: does not have named input: {name[:64]}")
                columns[name].add(value)
            except ServingError as error:
                key = f" key: {name[:64]}" if named else ""
                raise invalid(
                    f"Failed to process element: {at}{key} of 'instances' list. "
                    f"Error: INVALID_ARGUMENT: {error.message}"
                ) from None
        if named and len(instance) != len(columns):
            raise invalid(
                f"Failed to process element: {at} of 'instances' list. JSON object: "
                f"{shorten(instance)} keys must be equal to: {','.join(sorted(columns))}"
            )
    return {
        name: column.to_array((len(instances), *(column.shape or ())))
        for name, column in columns.items()
    }


def _read_columns(value: Any, specs: Specs) -> Arrays:
    if not _is_named(value):
        if len(specs) > 1:
            raise invalid(
                "inputs is a plain value/list, but expecting an object as multiple input tensors "
                "required as per tensorinfo_map"
            )
        value = dict.fromkeys(specs, value)
    arrays = {}
    for name, spec in specs.items():
        if name not in value:
            raise invalid(f"Missing named input: {name} in 'inputs' object.")
        column = _Column(spec)
        column.add(value[name])
        arrays[name] = column.to_array(column.shape or ())
    return arrays


class _Column:
    """Values of one input, one after the other.

    Args:
        spec: What they must be.
    """

    def __init__(self, spec: TensorSpec) -> None:
        self.shape: tuple[int, ...] | None = None
        self._spec = spec
        self._values: list[Any] = []
        self._convert = _CONVERTERS.get(spec.dtype_name, _refuse)

    def add(self, value: Any) -> None:
        """Appends a value or nested lists of the shape of those before."""
        shape = _find_shape(value)
        before = len(self._values)
        self._fill(value, 0, shape)
        if self.shape is None:
            self.shape = shape
            self._size = len(self._values) - before
        elif len(self._values) - before != self._size:
            raise invalid(
                f"Expecting tensor size: {self._size} but got: {len(self._values) - before}"
            )
        elif self.shape != shape:
            raise invalid(f"Expecting shape {_show(self.shape)} but got: {_show(shape)}")

    def to_array(self, shape: tuple[int, ...]) -> np.ndarray:
        """Returns everything added."""
        if self._spec.dtype == object:
            array = np.empty(len(self._values), object)
            array[:] = self._values
        else:
            with np.errstate(over="ignore"):  # a float too large is infinite
                array = np.array(self._values, self._spec.dtype)
        return array.reshape(shape)

    def _fill(self, value: Any, level: int, shape: tuple[int, ...]) -> None:
        if not isinstance(value, list):
            if level != len(shape):
                raise invalid(
                    f"JSON Value: {shorten(value)} found at incorrect level: {level + 1} "
                    f"in the JSON DOM. Expected at level: {len(shape)}"
                )
            self._values.append(self._convert(value, self._spec))
            return
        if level >= len(shape):
            raise invalid(f"Encountered list at unexpected level: {level} expected < {len(shape)}")
        if len(value) != shape[level]:
            raise invalid(
                f"Encountered list at unexpected size: {len(value)} at level: {level} "
                f"expected size: {shape[level]}"
            )
        for item in value:
            self._fill(item, level + 1, shape)


def _find_shape(value: Any) -> tuple[int, ...]:
    if not isinstance(value, list):
        return ()
    shape: list[int] = []
    while isinstance(value, list):
        shape.append(len(value))
        if len(shape) > _MAX_RANK:
            raise invalid(f"Lists are nested deeper than the {_MAX_RANK} axes of a tensor.")
        if not value:
            break
        value = value[0]
    return tuple(shape)


def _is_base64(value: Any) -> bool:
    return isinstance(value, dict) and len(value) == 1 and isinstance(value.get("b64"), str)


def _is_named(value: Any) -> bool:
    return isinstance(value, dict) and not _is_base64(value)


def decode_base64(text: str) -> bytes:
    """Decodes; blanks are skipped and padding may be left out, as TF Serving has it.

    Raises:
        ServingError: if it is none.
    """
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        bare = "".join(text.split()).rstrip("=")
    try:
        return binascii.a2b_base64(bare + "=" * (-len(bare) % 4), strict_mode=True)
    except ValueError:
        raise invalid("Unable to base64 decode") from None


def _convert_string(value: Any, spec: TensorSpec) -> bytes:
    if isinstance(value, str):
        try:
            return value.encode()
        except UnicodeEncodeError:
            raise invalid("JSON Parse error: The surrogate pair in string is invalid.") from None
    if isinstance(value, dict):
        if not _is_base64(value):
            raise format_error(value, "not formatted correctly for base64 data")
        return decode_base64(value["b64"])
    raise type_error(value, spec.dtype_name)


def _convert_float(value: Any, spec: TensorSpec) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise type_error(value, spec.dtype_name)
    try:
        return float(value)
    except OverflowError:
        raise invalid("JSON Parse error: Number too big to be stored in double.") from None


def _convert_integer(value: Any, spec: TensorSpec) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise type_error(value, spec.dtype_name)
    info = np.iinfo(spec.dtype)
    if not info.min <= value <= info.max:
        raise type_error(value, spec.dtype_name)
    return value


def _convert_bool(value: Any, spec: TensorSpec) -> bool:
    if not isinstance(value, bool):
        raise type_error(value, spec.dtype_name)
    return value


def _refuse(value: Any, spec: TensorSpec) -> Any:
    raise ServingError(
        Code.UNIMPLEMENTED,
        f"Conversion of JSON Value: {shorten(value)} to type: {spec.dtype_name}",
    )


def _show(shape: tuple[int, ...]) -> str:
    return f"[{','.join(map(str, shape))}]"


_CONVERTERS: dict[str, Callable[[Any, TensorSpec], Any]] = {
    "string": _convert_string,
    "float": _convert_float,
    "double": _convert_float,
    "bool": _convert_bool,
    **dict.fromkeys(_INTEGERS, _convert_integer),
}
