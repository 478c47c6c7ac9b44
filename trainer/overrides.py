"""Settings written as text: `a.b=VALUE`, read by the types of the configuration."""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from trainer.config import Config, check_name, refuse


def apply_overrides(config: Config, overrides: Sequence[str]) -> Config:
    """Applies `a.b=VALUE` settings in their order.

    Values are read by the type of the field: lists are separated by commas,
    and inside mappings a Python literal is read as one, else as text.

    Raises:
        ValueError: for a setting that does not exist or a value that does not
            fit; the message lists the valid ones.
    """
    for override in overrides:
        path, equals, value = override.partition("=")
        if not equals:
            raise ValueError(
                f"A setting must look like section.name=VALUE. Received: {override!r}."
            )
        config = _replace(config, path.strip().split("."), value.strip(), path.strip())
    return config


def flatten(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yields the settings of a nested configuration as `("a.b", value)`."""
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from flatten(value, f"{prefix}{name}.")
        else:
            yield prefix + str(name), value


def _replace(node: Any, keys: list[str], value: str, path: str) -> Any:
    if isinstance(node, Mapping):
        changed = dict(node)
        if len(keys) == 1:
            changed[keys[0]] = _literal(value)
        else:
            changed[keys[0]] = _replace(changed.get(keys[0], {}), keys[1:], value, path)
        return changed
    if not hasattr(node, "__dataclass_fields__"):
        raise ValueError(f"Setting {path!r} goes deeper than the configuration does.")
    check_name(node, keys[0], path)
    old = getattr(node, keys[0])
    kind = next(item.type for item in dataclasses.fields(node) if item.name == keys[0])
    if kind == "Mapping[str, str]" and len(keys) > 1:
        # The keys are names of columns, which may have dots.
        new = _replace(old, [".".join(keys[1:])], value, path)
    elif len(keys) > 1:
        new = _replace(old, keys[1:], value, path)
    elif dataclasses.is_dataclass(old):
        raise ValueError(
            f"{path!r} is a section. Expected one of its settings, such as "
            f"{path}.{dataclasses.fields(old)[0].name}=VALUE."
        )
    else:
        new = _parse(str(kind), value, path)
    return dataclasses.replace(node, **{keys[0]: new})


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
    try:
        return ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return {"true": True, "false": False}.get(value.lower(), value)
