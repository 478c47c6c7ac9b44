"""What an exported folder says of itself: `edge.json`, checked before anything is read with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serving.edge.product import ProductReader
from serving.edge.rules import Rule

MODEL_FILE = "edge.json"
_ENTRIES = {"variants": dict, "class_names": list, "rules": list, "branches": list}


@dataclass(frozen=True)
class Card:
    """An exported model without its networks.

    Args:
        path: Of `edge.json`.
        labels: Of the classes, in the order of the network's scores.
        rules: Some classes can be excluded by.
        variants: Of each network its `file` and `sha256`, by name.
        reader: The preprocessing.
    """

    path: Path
    labels: list[str]
    rules: list[Rule]
    variants: Mapping[str, Mapping[str, str]]
    reader: ProductReader


def load_card(folder: Path) -> Card:
    """Reads `edge.json` of an exported folder.

    Raises:
        FileNotFoundError: if there is none.
        ValueError: if it is broken, or lacks something; the message names the file.
    """
    path = folder / MODEL_FILE
    if not path.is_file():
        raise FileNotFoundError(
            f"No model in {folder.absolute()}: {MODEL_FILE} is missing. Give a folder "
            "that `taxofuse export --format tflite` wrote."
        )
    try:
        told = json.loads(path.read_bytes())
    except ValueError as error:  # no JSON, or no UTF-8
        raise ValueError(
            f"{path} is broken: {error}. Copy it again, or export it again."
        ) from error
    try:
        _check_entries(told)
        rules = [Rule(**rule) for rule in told["rules"]]
        reader = ProductReader(told["branches"])
        _check_rules(rules, reader)
        reader.read({})  # Some encoders look for what they had learned only now.
        return Card(path, told["class_names"], rules, told["variants"], reader)
    except KeyError as error:
        raise ValueError(f"{path} lacks {error}. Export it again.") from error
    except (TypeError, ValueError, AttributeError, IndexError) as error:
        reason = str(error).rstrip(".")
        raise ValueError(f"{path} cannot be used: {reason}. Export it again.") from error


def _check_entries(told: Any) -> None:
    if not isinstance(told, dict):
        raise ValueError(f"An object was expected. Received: {type(told).__name__}.")
    for name, kind in _ENTRIES.items():
        if not isinstance(told.get(name), kind):
            raise ValueError(f"It needs {name!r}, a {kind.__name__}. It has {sorted(told)}.")
        if not told[name] and name != "rules":
            raise ValueError(f"Its {name!r} are empty.")
    for name, variant in told["variants"].items():
        if not isinstance(variant, dict) or not {"file", "sha256"} <= variant.keys():
            raise ValueError(f"Its variant {name!r} needs 'file' and 'sha256'.")


def _check_rules(rules: list[Rule], reader: ProductReader) -> None:
    for rule in rules:
        if rule.input not in reader.inputs:
            raise ValueError(
                f"A rule of {rule.label!r} asks for an unknown input. Expected one of "
                f"{sorted(reader.inputs)}. Received: {rule.input!r}."
            )
