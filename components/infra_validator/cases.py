"""What a candidate is asked, and whether a server answers as the model itself does."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trainer.answers import OK
from trainer.inputs import InputSpec
from trainer.registry import MODALITIES

Row = Mapping[str, bytes | float]
_BROKEN = b"a text that was renamed to .jpg"
_TEXTS = ("text", "category")


@dataclass(frozen=True)
class Case:
    """Products that are sent in one request.

    Args:
        name: str. For people.
        ids: Of the products.
        rows: Raw values by input.
        troubled: Places of those whose status has to say what is wrong with them.
    """

    name: str
    ids: Sequence[str]
    rows: Sequence[Row]
    troubled: frozenset[int] = frozenset()


def find_cases(
    specs: Sequence[InputSpec], ids: Sequence[str], rows: Sequence[Row], batch: int
) -> list[Case]:
    """Returns the products in batches, one alone, and beside good ones an empty and a broken one.

    Args:
        specs: Inputs of the model.
        ids: Of the products.
        rows: Raw values by input.
        batch: int. Products in one request.
    """
    starts = range(0, len(rows), batch)
    cases = [Case("products", ids[at : at + batch], rows[at : at + batch]) for at in starts]
    cases.append(Case("one product", ids[:1], rows[:1]))
    absent: Row = {spec.name: MODALITIES.get(spec.kind).absent for spec in specs}
    ugly = {"an empty product": absent}
    for spec in specs:
        if spec.kind == "image":
            ugly[f"a broken picture as {spec.name}"] = {**rows[0], spec.name: _BROKEN}
    for name, row in ugly.items():
        around = [rows[0], row, rows[-1]]
        cases.append(Case(name, [ids[0], name, ids[-1]], around, frozenset({1})))
    return cases


def encode(row: Row, specs: Sequence[InputSpec]) -> dict[str, Any]:
    """Writes a product as the REST interface has it."""
    return {spec.name: _encode(row[spec.name], spec.kind) for spec in specs}


def _encode(value: bytes | float, kind: str) -> Any:
    if not isinstance(value, bytes):
        return float(value)
    return value.decode() if kind in _TEXTS else {"b64": base64.b64encode(value).decode()}


def compare(
    case: Case,
    served: Sequence[Mapping[str, Any]],
    direct: Sequence[Mapping[str, Any]],
    tolerance: float,
) -> tuple[list[str], float]:
    """Compares answers to the products of a case.

    Args:
        case: What was asked.
        served: Answers of the server.
        direct: Of the model itself.
        tolerance: float. Between scores.

    Returns:
        What is wrong, and the largest difference of scores.
    """
    if len(served) != len(direct):
        return [f"{case.name}: {len(direct)} sent, {len(served)} answered"], math.inf
    wrong: list[str] = []
    largest = 0.0
    for place, (found, expected) in enumerate(zip(served, direct, strict=True)):
        told = f"{case.name}: {case.ids[place]!r} "
        for name in ("label", "status"):
            if found.get(name) != expected[name]:
                wrong.append(f"{told}has {name} {found.get(name)!r}, not {expected[name]!r}")
        difference = _difference(found.get("scores", ()), expected["scores"])
        largest = max(largest, difference)
        if not difference <= tolerance:
            wrong.append(f"{told}has scores that differ by more than {tolerance:g}")
        if place in case.troubled and found.get("status") == OK:
            wrong.append(f"{told}has the status {OK!r}, as if nothing were wrong with it")
    return wrong, largest


def _difference(found: Sequence[float], expected: Sequence[float]) -> float:
    """Returns the largest difference; infinite where there is a NaN or another length."""
    if len(found) != len(expected):
        return math.inf
    differences = [abs(of - other) for of, other in zip(found, expected, strict=True)]
    return max((math.inf if math.isnan(of) else of for of in differences), default=0.0)
