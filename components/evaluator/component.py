"""Whether a model is good enough, by itself and beside the one that is in use."""

from __future__ import annotations

from dataclasses import dataclass

from components.artifact import EXAMPLES, MODEL, MODEL_BLESSING, MODEL_EVALUATION
from components.component import Component, Input


@dataclass(frozen=True)
class Parameters:
    """Thresholds. What chance explains (see `significance`) is no reason to refuse.

    Args:
        split: Rows that the model is measured on; `test`, or `eval` where that has none.
        min_accuracy: Lowest accuracy, whatever else is in use.
        min_examples: Fewer rows than this decide nothing: the model is refused. So it is where
            fewer are left to compare it with the baseline on, those that neither has learned
            from, of all examples given.
        allow_uncompared: Lets a model replace a baseline that it cannot be compared with so.
        max_accuracy_loss: How much lower the accuracy may be than that of the baseline.
        min_class_recall: Lowest recall of a class.
        class_rows: Classes with fewer rows are judged by chance alone: neither by
            `min_class_recall`, nor as lost, which is a class that the baseline mostly
            knows and of which no row is answered right.
        max_recall_loss: How much lower the recall of a class may be than the baseline's.
        max_calibration_error: Highest expected calibration error beyond that which so few
            rows have by chance.
        max_calibration_loss: How much higher it may be than the baseline's.
        robust_products: Products that are also answered with their pictures corrupted
            and their texts misspelled; 0 for none.
        max_robust_loss: How much lower the accuracy on those may be than the baseline's.
        significance: Probability with which a model that is as good as the baseline
            may be refused, for each of the comparisons.
        seed: Of the corruptions.
    """

    split: str = "test"
    min_accuracy: float = 0.0
    min_examples: int = 20
    allow_uncompared: bool = False
    max_accuracy_loss: float = 0.01
    min_class_recall: float = 0.0
    class_rows: int = 5
    max_recall_loss: float = 0.2
    max_calibration_error: float = 0.15
    max_calibration_loss: float = 0.05
    robust_products: int = 64
    max_robust_loss: float = 0.05
    significance: float = 0.05
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.significance < 1:
            raise ValueError(f"significance lies between 0 and 1. Received: {self.significance}.")
        counts = (self.min_examples, self.class_rows)
        if min(counts) < 1 or self.robust_products < 0:
            raise ValueError(
                "min_examples and class_rows are at least 1, robust_products is not negative. "
                f"Received: {counts}, {self.robust_products}."
            )


COMPONENT = Component(
    name="Evaluator",
    package=__package__,
    inputs={
        "examples": Input(EXAMPLES),
        "model": Input(MODEL),
        "baseline": Input(MODEL, optional=True),
        "earlier_examples": Input(EXAMPLES, optional=True),
    },
    outputs={"evaluation": MODEL_EVALUATION, "blessing": MODEL_BLESSING},
    parameters=Parameters,
)
