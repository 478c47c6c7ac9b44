"""How a schema follows from statistics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class SchemaRules:
    """How a schema follows from statistics.

    Args:
        splits: What is inferred from; all splits where these have no rows.
        presence_margin: How much smaller the share of filled cells may be than it was.
            Columns that were empty are not expected; labels must be there.
        max_domain_size: A category with more values than this may have any; so may a label
            of which not all values were counted.
        ranges: By column of numbers its lowest and highest value, `null` where it is open.
        infer_ranges: Whether the other columns of numbers must stay between their lowest
            and highest value.
        max_broken: Largest share of broken pictures among those that are given.
        drift_threshold: Smallest difference of the share of a value between spans that
            matters, written for categories and labels as `infinity_norm`.
        skew_threshold: The same between splits.
    """

    splits: tuple[str, ...] = ("train",)
    presence_margin: float = 0.05
    max_domain_size: int = 200
    ranges: Mapping[str, Any] = field(default_factory=dict)
    infer_ranges: bool = False
    max_broken: float = 0.01
    drift_threshold: float = 0.02
    skew_threshold: float = 0.05

    def __post_init__(self) -> None:
        object.__setattr__(self, "splits", tuple(self.splits))
        for name in ("presence_margin", "max_broken", "drift_threshold", "skew_threshold"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(
                    f"SchemaGen: {name} is a share. Received: {getattr(self, name)!r}."
                )
