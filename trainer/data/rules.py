"""Rules on the products of a class, which exclude it wherever they are broken."""

from __future__ import annotations

import difflib
import math
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trainer.data.json_checks import check_object, expect, read_text, read_texts
from trainer.inputs import InputSpec
from trainer.registry import unknown

_TEXT_TESTS = ("equals", "contains", "lacks")
TESTS: Mapping[str, tuple[str, ...]] = {
    "number": ("above", "below"),
    "text": _TEXT_TESTS,
    "category": _TEXT_TESTS,
}
"""By the kind of an input, what a rule can ask of it."""
NO_CLASS_LEFT = "the rules exclude every class and are ignored"
"""The problem of a row that breaks a rule of each class."""
NOTHING = "nothing to go by"
"""The problem of a row of which every input is absent."""


@dataclass(frozen=True)
class Rule:
    """What is true of every product of some classes, as far as the product says anything.

    Args:
        label: A class, or the upper part of the paths of several.
        input: Name of the input that is asked.
        test: One of `TESTS`.
        value: A number to be above or below; or texts, of which the input
            equals one, contains one, or contains (`lacks`) none.
    """

    label: str
    input: str
    test: str
    value: float | tuple[str, ...]

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Rule:
        """Builds a rule from its fields as JSON holds them."""
        value = values["value"]
        return cls(**{**values, "value": tuple(value) if isinstance(value, list) else value})


def read_rules(values: Any, nodes: Collection[str], inputs: Sequence[InputSpec]) -> list[Rule]:
    """Reads one object of a taxonomy file.

    Args:
        values: `class`, `column`, and one or more of `TESTS` with their value.
        nodes: All classes and the upper parts of their paths.
        inputs: Inputs of the model. A column is known by its own name if it is
            an input by itself, and else by that of the input, such as `text`.

    Returns:
        A rule a test.

    Raises:
        ValueError: naming what does not fit.
    """
    tests = {test for tests in TESTS.values() for test in tests}
    check_object(values, "a rule", {"class", "column", *tests})
    label = read_text(values, "class", "a rule")
    what = f"a rule on {label!r}"
    if label not in nodes:
        raise ValueError(f"There is no class for {what}.{suggest(label, nodes)}")
    spec = _find_input(read_text(values, "column", what), inputs)
    asked = [key for key in values if key in tests]
    expect(bool(asked), what, f"one with some of {TESTS[spec.kind]}", values)
    read = _read_number if spec.kind == "number" else _read_words
    for test in asked:
        if test not in TESTS[spec.kind]:
            raise ValueError(unknown(f"test of {spec.kind} in {what}", test, TESTS[spec.kind]))
    return [Rule(label, spec.name, test, read(values, test, what)) for test in asked]


def suggest(label: str, nodes: Collection[str]) -> str:
    """Returns a question for the node that was perhaps meant, `""` if there is none like it."""
    close = difflib.get_close_matches(label, nodes, n=1)
    return f" Did you mean {close[0]!r}?" if close else ""


def _find_input(column: str, inputs: Sequence[InputSpec]) -> InputSpec:
    askable = [spec for spec in inputs if spec.kind in TESTS]
    names = {spec.columns[0]: spec for spec in askable if len(spec.columns) == 1}
    names.update({spec.name: spec for spec in askable})
    for spec in askable:
        if column in spec.columns and column not in names:
            raise ValueError(
                f"A rule cannot ask {column!r} alone, which the model reads together with other "
                f"columns. Ask {spec.name!r} for all of them, or set data.text=separate."
            )
    if column not in names:
        raise ValueError(unknown("column of a rule", column, names))
    return names[column]


def _read_number(values: dict[str, Any], test: str, what: str) -> float:
    value = values[test]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    expect(is_number and math.isfinite(value), f"`{test}` of {what}", "a number", value)
    return float(value)


def _read_words(values: dict[str, Any], test: str, what: str) -> tuple[str, ...]:
    texts = read_texts(values, test, what)
    # Without letters and digits nothing could be found.
    fits = texts and all(any(map(str.isalnum, text)) for text in texts)
    expect(bool(fits), f"`{test}` of {what}", "a list of words", values[test])
    return tuple(unicodedata.normalize("NFC", text) for text in texts)
