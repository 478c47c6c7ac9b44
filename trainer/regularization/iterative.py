"""Regularizers whose attack takes several steps inside a ball."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from trainer.options import check_number
from trainer.regularization.regularizer import Regularizer


@dataclass(kw_only=True, eq=False)
class IterativeRegularizer(Regularizer):
    """Base of those that climb step by step.

    Args:
        pgd_iterations: int. How many steps.
        pgd_epsilon: float. Radius of the ball, in steps.
    """

    fewest: ClassVar[int] = 1
    """Steps that it needs."""

    pgd_iterations: int = 3
    pgd_epsilon: float = 2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("pgd_iterations", self.pgd_iterations, self.fewest)
        check_number("pgd_epsilon", self.pgd_epsilon, 0)
