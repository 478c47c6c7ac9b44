"""Whether a new delivery of data is a reason to train again."""

from __future__ import annotations

import json
from collections.abc import Mapping

from components.examples import ExamplesInfo
from components.metadata import Metadata
from components.runner import Result
from components.sources.span_pattern import find_spans, has_spans

CHANGES = ("drift", "new_value", "new_column", "missing_column", "kind_change", "type_change")
"""Kinds of anomalies after which the model in use may not know its products any more."""


def find_earlier_spans(table: str, span: int) -> tuple[int, ...]:
    """Returns the numbers below a span whose tables are there.

    Raises:
        ValueError: if the name of the table has no place for a number.
    """
    if not has_spans(table):
        raise ValueError(
            f"--span needs a table a span: write {{SPAN}} where its number stands in --data. "
            f"Received: {table}."
        )
    return tuple(number for number in find_spans(table) if number < span)


def reason_to_train(
    metadata: Metadata, results: Mapping[str, Result], span: int, every: int = 0
) -> str:
    """Returns why the model in use is to be replaced, for people; empty where it is not.

    Args:
        metadata: Of all runs.
        results: Of a run up to ExampleValidator.
        span: The one that is new.
        every: int. Spans after which a model is old; 0 for never.
    """
    execution = results["ExampleValidator"].execution
    baseline = metadata.inputs(execution).get("baseline")
    maker = metadata.maker(baseline.id) if baseline else None
    if maker is None:
        return "there is no model of an earlier span"
    folder = results["ExampleValidator"].outputs["anomalies"].uri
    found = json.loads((folder / "anomalies.json").read_text(encoding="utf-8"))["anomalies"]
    changes = [one for one in found if one["kind"] in CHANGES]
    if changes:
        more = f", and {len(changes) - 1} more changes" if len(changes) > 1 else ""
        return f"{changes[0]['message']}{more}"
    learned = ExamplesInfo.read(metadata.inputs(maker.id)["examples"].uri).span
    if every and span - learned >= every:
        return f"the model in use has learned from span {learned}"
    return ""
