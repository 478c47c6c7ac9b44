"""How far answers move where they move most, which needs no labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from trainer.options import check_number
from trainer.registry import REGULARIZERS
from trainer.regularization.batch import Batch, Lesson, Tensors
from trainer.regularization.regularizer import Regularizer, divergence


@REGULARIZERS.register("vat")
@dataclass(kw_only=True, eq=False)
class VirtualAdversarial(Regularizer):
    """Adds how far the answers move one step away, in the direction in which they move most.

    The direction is found by power iteration from one that is drawn.

    Args:
        multiplier: float.
        pgd_iterations: int. Power iterations.
        xi: float. How far the direction is felt for, in steps.
        symmetric: bool. Divergence in both directions, each of which learns:
            the smoothness of SMART. Otherwise the answers themselves are fixed.

    Reference:
        Miyato et al., 2017, arXiv:1704.03976; Jiang et al., 2019,
        arXiv:1911.03437, without its proximal steps.
    """

    multiplier: float = 1.0
    pgd_iterations: int = 1
    xi: float = 0.1
    symmetric: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("pgd_iterations", self.pgd_iterations, 1)

    def learn(self, batch: Batch) -> Lesson:
        answers = tf.stop_gradient(batch.votes(batch.forward()[0]))
        delta = [self.draw(value, self.xi) for value in batch.values]
        for _ in range(self.pgd_iterations):
            steps = self.step(batch, self.feel(batch, answers, delta))
            delta = [self.xi * step for step in steps]
        delta = self.project(batch, steps, 1.0)
        return batch.learn_beside(
            lambda outputs: self._move(batch, outputs, delta), self.multiplier
        )

    def _move(self, batch: Batch, outputs: Any, delta: Tensors) -> tf.Tensor:
        votes, moved = batch.votes(outputs), batch.votes(batch.forward(delta)[0])
        if self.symmetric:
            return divergence(votes, moved) + divergence(moved, votes)
        return divergence(tf.stop_gradient(votes), moved)
