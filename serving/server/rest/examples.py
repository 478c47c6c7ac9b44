"""`examples` of a classify or regress request, as serialized tf.Example."""

from __future__ import annotations

from typing import Any

from serving.server.rest.json_text import format_error, type_name
from serving.server.rest.read_tensors import decode_base64
from serving.server.status import invalid

_INT64 = 2**63


def read_examples(document: dict[str, Any]) -> list[bytes]:
    """Reads the examples, each joined with the `context` if there is one.

    Raises:
        ServingError: as TF Serving's json_tensor.cc has them.
    """
    from tensorflow.core.example import example_pb2

    context = example_pb2.Example()
    if "context" in document:
        _fill(document["context"], context)
    if "examples" not in document:
        raise format_error(
            document, "When method is classify, key 'examples' is expected and was not found"
        )
    examples = document["examples"]
    if not isinstance(examples, list):
        raise format_error(document, "Expecting 'examples' value to be an list/array")
    if not examples:
        raise format_error(document, "'examples' value is an empty array")
    serialized = []
    for value in examples:
        example = example_pb2.Example()
        _fill(value, example)
        joined = example_pb2.Example()
        joined.CopyFrom(context)
        for name, feature in example.features.feature.items():
            joined.features.feature[name].CopyFrom(feature)
        serialized.append(joined.SerializeToString())
    return serialized


def _fill(value: Any, example: Any) -> None:
    if not isinstance(value, dict):
        raise invalid(f"Example must be JSON object but got JSON {type_name(value)}")
    for name, content in value.items():
        feature = example.features.feature[name]
        for item in content if isinstance(content, list) else [content]:
            _add(name, item, feature)


def _add(name: str, item: Any, feature: Any) -> None:
    value: bytes | int | float
    if isinstance(item, dict) and item.keys() == {"b64"} and isinstance(item["b64"], str):
        kind, value = "bytes_list", decode_base64(item["b64"])
    elif isinstance(item, str):
        kind, value = "bytes_list", item.encode("utf-8", "replace")
    elif isinstance(item, int):  # also true and false
        if not -_INT64 <= item < _INT64:
            raise invalid(f"Feature: {name} has uint64_t element. Only int64_t is supported.")
        kind, value = "int64_list", item
    elif isinstance(item, float):
        kind, value = "float_list", item
    else:
        raise invalid(f"Feature: {name} has element with unexpected JSON type: {type_name(item)}")
    if feature.WhichOneof("kind") not in (None, kind):
        expected = feature.WhichOneof("kind").removesuffix("_list")
        raise invalid(f"Unexpected element type in feature: {name} expecting type: {expected}")
    getattr(feature, kind).value.append(value)
