"""How far answers move under an attack on them."""

from __future__ import annotations

from dataclasses import dataclass

from trainer.registry import REGULARIZERS
from trainer.regularization.batch import Batch, Lesson
from trainer.regularization.regularizer import Regularizer, at_least, divergence


@REGULARIZERS.register("trades")
@dataclass(kw_only=True, eq=False)
class Trades(Regularizer):
    """Adds how far the answers move under an attack that wants nothing but that.

    Args:
        multiplier: float. What robustness counts against accuracy, beta of the
            paper, where 6 is used.
        pgd_iterations: int. Steps of the attack, which starts at random.
        pgd_epsilon: float. Radius of the ball, in steps.

    Reference:
        Zhang et al., 2019, arXiv:1901.08573; the divergence of each vote.
    """

    multiplier: float = 6.0
    pgd_iterations: int = 3
    pgd_epsilon: float = 2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least("pgd_iterations", self.pgd_iterations, 1)
        at_least("pgd_epsilon", self.pgd_epsilon, 0)

    def learn(self, batch: Batch) -> Lesson:
        answers = batch.votes(batch.forward()[0])
        delta = [self.draw(value, self.pgd_epsilon) for value in batch.values]
        for _ in range(self.pgd_iterations):
            found = batch.run(
                delta,
                lambda outputs: divergence(answers, batch.votes(outputs)),
                weights=False,
                values=True,
            )
            delta = self.project(batch, self.step(batch, found.values, delta), self.pgd_epsilon)
        return batch.learn_beside(
            lambda outputs: divergence(batch.votes(outputs), batch.votes(batch.forward(delta)[0])),
            self.multiplier,
        )
