"""JSON as TF Serving's parser takes it, which is a little more than JSON."""

from __future__ import annotations

import json
from typing import Any

import orjson

from serving.server.status import ServingError, invalid

_SHOWN = 256
"""Characters of a wrong value that an error repeats."""


def parse_object(body: bytes) -> dict[str, Any]:
    """Parses a request.

    As in TF Serving, `NaN`, `Infinity` and `-Infinity` are numbers, and what
    follows the first value is ignored. Text that is not UTF-8 is refused.

    Raises:
        ServingError: if it is no JSON, too deep, or no object.
    """
    if not body.strip():
        raise invalid("JSON Parse error: The document is empty")
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        document = _parse_leniently(body)
    if not isinstance(document, dict):
        raise format_error(document, "Is not object")
    return document


def _parse_leniently(body: bytes) -> Any:
    try:
        text = body.decode("utf-8").lstrip(" \t\r\n\ufeff")
    except UnicodeDecodeError as error:
        raise invalid(
            f"JSON Parse error: Invalid encoding in string. at offset: {error.start}"
        ) from None
    try:
        return json.JSONDecoder().raw_decode(text)[0]
    except json.JSONDecodeError as error:
        message = f"JSON Parse error: Invalid value. at offset: {error.pos}"
    except RecursionError:
        message = "JSON Parse error: nested too deeply"
    except ValueError:  # an integer of thousands of digits
        message = "JSON Parse error: Number too big to be stored in double."
    raise invalid(message)


def format_error(value: Any, message: str) -> ServingError:
    """Returns TF Serving's error of a document that is not as it should be."""
    return invalid(f"JSON Value: {shorten(value)} {message}")


def type_error(value: Any, dtype_name: str) -> ServingError:
    """Returns TF Serving's error of a value of another type."""
    return invalid(
        f"JSON Value: {shorten(value)} Type: {type_name(value)} "
        f"is not of expected type: {dtype_name}"
    )


def shorten(value: Any) -> str:
    """Writes the beginning of a value; of a large one no more is looked at."""
    parts: list[str] = []
    _write(value, parts, _SHOWN, 0)
    return "".join(parts)[:_SHOWN]


def _write(value: Any, parts: list[str], room: int, depth: int) -> int:
    """Appends a value's text; returns the room that is left."""
    if room <= 0:
        return room
    if isinstance(value, str):
        return _append(parts, json.dumps(value[:room], ensure_ascii=False), room)
    if not isinstance(value, list | dict):
        return _append(parts, json.dumps(value), room)
    if depth > 16:
        return _append(parts, "...", room)
    opening, closing = "[]" if isinstance(value, list) else "{}"
    room = _append(parts, opening, room)
    for at, item in enumerate(value):
        if room <= 0:
            return room
        if at:
            room = _append(parts, ",", room)
        if isinstance(value, dict):
            room = _append(parts, json.dumps(item[:room], ensure_ascii=False) + ":", room)
            item = value[item]  # noqa: PLW2901
        room = _write(item, parts, room, depth + 1)
    return _append(parts, closing, room)


def _append(parts: list[str], text: str, room: int) -> int:
    parts.append(text)
    return room - len(text)


def type_name(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "Null", True: "True", False: "False"}[value]
    if isinstance(value, int | float):
        return "Number"
    if isinstance(value, str):
        return "String"
    return "Array" if isinstance(value, list) else "Object"
