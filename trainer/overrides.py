"""Settings written as text: `a.b=VALUE`, read by the types of the configuration."""

from __future__ import annotations

import ast
import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from trainer.config import Config, check_name, refuse
from trainer.registry import unknown


def apply_overrides(config: Config, overrides: Sequence[str]) -> Config:
    """Applies `a.b=VALUE` settings; of two for the same, the later one counts.

    Values are read by the type of the field: lists are separated by commas,
    and inside mappings a Python literal is read as one, else as text.

    Raises:
        ValueError: for a setting that does not exist or a value that does not
            fit; the message lists the valid ones.
    """
    changes: dict[str, dict[str, Any]] = {}
    for override in overrides:
        path, equals, value = (part.strip() for part in override.partition("="))
        if not equals:
            raise ValueError(
                f"A setting must look like section.name=VALUE. Received: {override!r}."
            )
        section, *keys = path.split(".")
        check_name(config, section, path)
        old = getattr(config, section)
        if not keys:
            raise ValueError(
                f"{path!r} is a section. Expected one of its settings, such as "
                f"{path}.{dataclasses.fields(old)[0].name}=VALUE."
            )
        name, *inner = keys
        check_name(old, name, path)
        changed = changes.setdefault(section, {})
        changed[name] = _read(old, name, inner, changed.get(name, getattr(old, name)), value, path)
    # At once, because some settings ask for others.
    new = {name: dataclasses.replace(getattr(config, name), **of) for name, of in changes.items()}
    return dataclasses.replace(config, **new)


def read_options(settings: Sequence[str], names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Reads `NAME.option=VALUE` settings of some members of a registry.

    Returns:
        The options by name, for each of the names.

    Raises:
        ValueError: for a setting of none of them.
    """
    options: dict[str, dict[str, Any]] = {name: {} for name in names}
    for setting in settings:
        path, equals, value = (part.strip() for part in setting.partition("="))
        name, dot, option = path.partition(".")
        if not (equals and dot):
            raise ValueError(f"A setting must look like NAME.option=VALUE. Received: {setting!r}.")
        if name not in options:
            raise ValueError(unknown(f"name in {setting!r}", name, names))
        options[name][option] = _literal(value)
    return options


def flatten(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yields the settings of a nested configuration as `("a.b", value)`."""
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from flatten(value, f"{prefix}{name}.")
        else:
            yield prefix + str(name), value


def _read(section: Any, name: str, keys: list[str], old: Any, value: str, path: str) -> Any:
    """Returns the value of a setting, changed at some keys where it is a mapping."""
    kind = next(str(item.type) for item in dataclasses.fields(section) if item.name == name)
    if not keys:
        return _parse(kind, value, path)
    if kind == "Mapping[str, str]":
        keys = [".".join(keys)]  # names of columns, which may have dots
    return _put(old, keys, value, path)


def _put(node: Any, keys: list[str], value: str, path: str) -> dict[str, Any]:
    if not isinstance(node, Mapping):
        raise ValueError(f"Setting {path!r} goes deeper than the configuration does.")
    key, *inner = keys
    return {**node, key: _put(node.get(key, {}), inner, value, path) if inner else _literal(value)}


def _parse(kind: str, value: str, path: str) -> Any:
    """Reads a value by the annotation of its setting."""
    if kind == "bool":
        choices = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
        if value.lower() not in choices:
            refuse(path, "must be true or false", value)
        return choices[value.lower()]
    if kind in ("int", "float"):
        try:
            return int(value) if kind == "int" else float(value)
        except ValueError:
            refuse(path, f"must be of type {kind}", value)
    if kind.startswith("tuple"):
        return _parse_list(kind, value, path)
    if kind.startswith("Mapping"):
        parsed = _literal(value)
        if not isinstance(parsed, Mapping):
            refuse(path, "must be a mapping such as {'a': 1}", value)
        return parsed
    return value


def _parse_list(kind: str, value: str, path: str) -> tuple[Any, ...]:
    literal = _literal(value) if value[:1] in ("(", "[") else None
    if isinstance(literal, (tuple, list)):
        parts = tuple(map(str, literal))
    else:
        parts = tuple(part.strip() for part in value.split(",") if part.strip())
    if not kind.startswith("tuple[float"):
        return parts
    try:
        return tuple(map(float, parts))
    except ValueError:
        refuse(path, "must be numbers separated by commas", value)


def _literal(value: str) -> Any:
    """Reads a value as Python or as JSON writes it; what is neither is text."""
    for read in (ast.literal_eval, json.loads):
        try:
            return read(value)
        except (ValueError, SyntaxError):
            continue
    return {"true": True, "false": False}.get(value.lower(), value)
