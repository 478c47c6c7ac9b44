"""ExampleValidator: what is wrong with examples, by their statistics."""

from __future__ import annotations

from dataclasses import dataclass, fields

from components.artifact import ANOMALIES, SCHEMA, STATISTICS
from components.component import Component, Input
from trainer.registry import unknown

_SEVERITIES = ("error", "warning")


@dataclass(frozen=True)
class Parameters:
    """What counts as wrong; what the schema says comes first.

    Args:
        fail_on: Severities, `error` or `warning`, with which the step fails. By default it
            reports and succeeds.
        required_splits: Splits that must have rows.
        max_broken: Largest share of cells that hold something unreadable, of pictures
            where the schema does not say.
        max_shared: Largest share of the records of a split that may be in the training
            split, too.
        false_alarm_rate: Probability with which a comparison of two sets of examples of
            one population, over all columns, finds a difference.
        min_drift: Smallest difference between spans that matters, in shares of the rows.
        min_skew: The same between the training split and another.
    """

    fail_on: tuple[str, ...] = ()
    required_splits: tuple[str, ...] = ("train", "eval")
    max_broken: float = 0.01
    max_shared: float = 0.0
    false_alarm_rate: float = 0.01
    min_drift: float = 0.02
    min_skew: float = 0.05

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, list):  # JSON has no tuples
                object.__setattr__(self, item.name, tuple(value))
            elif isinstance(value, float | int) and not 0 <= value <= 1:
                raise ValueError(f"ExampleValidator: {item.name} is a share. Received: {value!r}.")
        for severity in self.fail_on:
            if severity not in _SEVERITIES:
                raise ValueError(unknown("severity in fail_on", severity, _SEVERITIES))


COMPONENT = Component(
    name="ExampleValidator",
    package=__package__,
    inputs={
        "statistics": Input(STATISTICS),
        "schema": Input(SCHEMA),
        "baseline": Input(STATISTICS, optional=True),
    },
    outputs={"anomalies": ANOMALIES},
    parameters=Parameters,
)
