"""Parameters of components as TFX's execution properties, which are numbers and texts."""

from __future__ import annotations

import dataclasses
import json
import typing
from collections.abc import Mapping
from typing import Any

from components.component import Component

_PLAIN = (bool, int, float, str)


def property_types(component: Component) -> dict[str, type]:
    """Returns the types of the properties by the names of the parameters.

    What is neither number nor text is one: its JSON.
    """
    hints = typing.get_type_hints(component.parameters)
    return {
        field.name: hints[field.name] if hints[field.name] in _PLAIN else str
        for field in dataclasses.fields(component.parameters)
    }


def to_properties(component: Component, parameters: Any) -> dict[str, Any]:
    """Returns the properties of an instance of the parameters."""
    hints = typing.get_type_hints(component.parameters)
    found: dict[str, Any] = {}
    for name, value in dataclasses.asdict(parameters).items():
        if hints[name] not in _PLAIN:
            found[name] = json.dumps(value, sort_keys=True, ensure_ascii=False)
        elif hints[name] is float and isinstance(value, int):
            found[name] = float(value)
        else:
            found[name] = value
    return found


def from_properties(component: Component, properties: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the parameters by name; other properties are passed over."""
    hints = typing.get_type_hints(component.parameters)
    return {
        field.name: _read(hints[field.name], properties[field.name])
        for field in dataclasses.fields(component.parameters)
    }


def _read(hint: Any, value: Any) -> Any:
    if hint is bool:  # some orchestrators hand on 0 and 1
        return bool(value)
    return value if hint in _PLAIN else json.loads(value)
