"""BulkInferrer: a model answers many products, shard by shard."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from components.artifact import (
    EXAMPLES,
    INFERENCE_RESULT,
    INFRA_BLESSING,
    MODEL,
    MODEL_BLESSING,
)
from components.component import Component, Input
from trainer.config import refuse


@dataclass(frozen=True)
class Parameters:
    """What is answered, and how.

    Args:
        table: Products, as for `components.sources.open_source`; in place of examples.
        span: For `{SPAN}` in the table.
        splits: Of the examples; all by default.
        batch_size: Products at once.
        sure: Adds the column `sure_label`, the deepest level that is right with this
            probability; 0 adds none.
        rows_per_shard: Of a table; examples stay in theirs.
    """

    table: str = ""
    span: int = 0
    splits: tuple[str, ...] = ()
    batch_size: int = 32
    sure: float = 0.0
    rows_per_shard: int = 2000

    def __post_init__(self) -> None:
        object.__setattr__(self, "splits", tuple(self.splits))  # JSON has no tuples
        for name in ("batch_size", "rows_per_shard"):
            if getattr(self, name) < 1:
                refuse(name, "must be at least 1", getattr(self, name))
        if self.sure and not 0.5 < self.sure <= 1:
            refuse("sure", "must be above 0.5 and at most 1", self.sure)
        if self.table and self.splits:
            refuse("splits", "are of examples, not of a table", self.splits)


def _reads(parameters: Parameters) -> list[Path]:
    from components.sources.files_read import files_read

    return files_read(parameters.table, parameters.span) if parameters.table else []


COMPONENT = Component(
    name="BulkInferrer",
    package=__package__,
    inputs={
        "model": Input(MODEL),
        "examples": Input(EXAMPLES, optional=True),
        "model_blessing": Input(MODEL_BLESSING, optional=True),
        "infra_blessing": Input(INFRA_BLESSING, optional=True),
    },
    outputs={"inference_result": INFERENCE_RESULT},
    parameters=Parameters,
    reads=_reads,
)
