"""StatisticsGen: what the examples are like, split by split."""

from __future__ import annotations

from components.artifact import EXAMPLES, STATISTICS
from components.component import Component, Input

COMPONENT = Component(
    name="StatisticsGen",
    package=__package__,
    inputs={"examples": Input(EXAMPLES)},
    outputs={"statistics": STATISTICS},
)
