"""Reading what a person wrote into a JSON file; errors say where it is and what was expected."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from trainer.registry import unknown


def expect(holds: bool, what: str, rule: str, received: object) -> None:
    """Raises ValueError where something does not hold: `what` must be `rule`."""
    if not holds:
        raise ValueError(f"{what} must be {rule}. Received: {received!r}.")


def check_object(value: Any, what: str, keys: Collection[str]) -> None:
    """Raises ValueError where a value is no object, or has other keys."""
    expect(isinstance(value, dict), what, "an object", value)
    for key in value:
        if key not in keys:
            raise ValueError(unknown(f"key of {what}, {value}", key, keys))


def read_text(values: dict[str, Any], key: str, what: str, default: str | None = None) -> str:
    """Returns a text of an object, without blanks around it; not empty if there is no default."""
    value = values.get(key, default)
    fits = isinstance(value, str) and (default is not None or value.strip())
    expect(bool(fits), f"`{key}` of {what}", "a text", value)
    return str(value).strip()


def read_list(values: dict[str, Any], key: str, what: str) -> list[Any]:
    """Returns a list of an object; empty where there is none."""
    value = values.get(key, [])
    expect(isinstance(value, list), f"`{key}` of {what}", "a list", value)
    return list(value)


def read_texts(values: dict[str, Any], key: str, what: str) -> tuple[str, ...]:
    """Returns a list of texts of an object; empty where there is none."""
    texts = read_list(values, key, what)
    for text in texts:
        expect(isinstance(text, str) and bool(text.strip()), f"`{key}` of {what}", "texts", texts)
    return tuple(text.strip() for text in texts)
