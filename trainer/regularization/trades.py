"""How far answers move under an attack on them."""

from __future__ import annotations

from dataclasses import dataclass

from trainer.registry import REGULARIZERS
from trainer.regularization.batch import Batch, Lesson
from trainer.regularization.iterative import IterativeRegularizer
from trainer.regularization.regularizer import divergence


@REGULARIZERS.register("trades")
@dataclass(kw_only=True, eq=False)
class Trades(IterativeRegularizer):
    """Adds how far the answers move under an attack that wants nothing but that.

    The attack starts at random.

    Args:
        multiplier: float. What robustness counts against accuracy, beta of the
            paper, where 6 is used.

    Reference:
        Zhang et al., 2019, arXiv:1901.08573; the divergence of each vote.
    """

    multiplier: float = 6.0

    def learn(self, batch: Batch) -> Lesson:
        answers = batch.votes(batch.forward()[0])
        delta = [self.draw(value, self.pgd_epsilon) for value in batch.values]
        for _ in range(self.pgd_iterations):
            gradients = self.feel(batch, answers, delta)
            delta = self.project(batch, self.step(batch, gradients, delta), self.pgd_epsilon)
        return batch.learn_beside(
            lambda outputs: divergence(batch.votes(outputs), batch.votes(batch.forward(delta)[0])),
            self.multiplier,
        )
