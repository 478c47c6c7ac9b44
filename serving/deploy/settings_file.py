"""Settings as text: a TOML file, `section.name=VALUE`, and the commented file of defaults."""

from __future__ import annotations

import dataclasses
import difflib
import json
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from serving.deploy.settings import Settings


def read_settings(path: Path | None, overrides: Sequence[str] = ()) -> Settings:
    """Reads a settings file, then `section.name=VALUE` settings; the later one counts.

    Args:
        path: TOML; what it leaves out has its default. None: all defaults.
        overrides: Values as in TOML; quotes around a text may be left out.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: for a setting that does not exist or a value that does not
            fit; the message says what would.
    """
    values: dict[str, dict[str, Any]] = {}
    if path is not None:
        for section, settings in _load(path).items():
            _section(section, f"{path}: ")
            if not isinstance(settings, dict):
                raise ValueError(f"{path}: {section!r} is a section: write [{section}] above it.")
            for name, value in settings.items():
                values.setdefault(section, {})[name] = _check(section, name, value, f"{path}: ")
    for override in overrides:
        section, name, text = _split(override)
        default = getattr(_section(section), name, None)
        value = _literal(text, default)
        values.setdefault(section, {})[name] = _check(section, name, value)
    settings = Settings()
    sections = {
        name: dataclasses.replace(getattr(settings, name), **changed)
        for name, changed in values.items()
    }
    return dataclasses.replace(settings, **sections)


def write_settings(settings: Settings) -> str:
    """Returns the TOML that `read_settings` reads the same settings from, commented."""
    lines = ["# Settings of `taxofuse deploy`: all files of a deployment are made from these.", ""]
    for section in dataclasses.fields(settings):
        values = getattr(settings, section.name)
        lines += [f"# {type(values).__doc__}", f"[{section.name}]"]
        for field in dataclasses.fields(values):
            lines += [f"# {line}" for line in field.metadata["comment"].splitlines()]
            value = getattr(values, field.name)
            text = list(value) if isinstance(value, tuple) else value
            # Strings, numbers, booleans and lists of them are written alike in JSON and TOML.
            lines.append(f"{field.name} = {json.dumps(text, ensure_ascii=False)}")
        lines.append("")
    return "\n".join(lines)


def _load(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise FileNotFoundError(
            f"No settings file at {path.absolute()}. `taxofuse deploy --print-settings` writes one."
        )
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not TOML: {error}.") from error


def _split(override: str) -> tuple[str, str, str]:
    path, equals, text = (part.strip() for part in override.partition("="))
    section, dot, name = path.partition(".")
    if not equals:
        raise ValueError(f"A setting must look like section.name=VALUE. Received: {override!r}.")
    if not dot:
        known = [
            f"{group.name}.{field.name}"
            for group in dataclasses.fields(Settings)
            for field in dataclasses.fields(_section(group.name))
        ]
        same = [name for name in known if name.endswith(f".{path}")] or known
        raise ValueError(_unknown("setting", path, same))
    return section, name, text


def _section(name: str, place: str = "") -> Any:
    sections = {field.name: field.default for field in dataclasses.fields(Settings)}
    if name not in sections:
        raise ValueError(place + _unknown("section of settings", name, sections))
    return sections[name]


def _check(section: str, name: str, value: Any, place: str = "") -> Any:
    """Returns the value if the setting exists and has values of its type."""
    defaults = _section(section, place)
    names = [field.name for field in dataclasses.fields(defaults)]
    if name not in names:
        raise ValueError(place + _unknown(f"setting of [{section}]", name, names))
    kind = type(getattr(defaults, name))
    if kind is tuple and isinstance(value, list) and all(isinstance(part, str) for part in value):
        return tuple(value)
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        expected = {
            bool: "true or false",
            int: "a whole number",
            float: "a number",
            str: "a text in quotes",
            tuple: "a list of texts",
        }[kind]
        raise ValueError(f"{place}{section}.{name} must be {expected}. Received: {value!r}.")
    return value


def _literal(text: str, default: Any) -> Any:
    """Reads a value of the command line; a text needs no quotes there."""
    if isinstance(default, str) and not text.startswith(('"', "'")):
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _unknown(what: str, name: str, expected: Iterable[str]) -> str:
    names = sorted(expected)
    message = f"Unknown {what}. Expected one of {names}. Received: {name!r}."
    close = difflib.get_close_matches(name, names, n=1)
    return f"{message} Did you mean {close[0]!r}?" if close else message
