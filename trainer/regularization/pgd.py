"""The loss after several small steps against the network."""

from __future__ import annotations

from dataclasses import dataclass

from trainer.registry import REGULARIZERS
from trainer.regularization.batch import Batch, Lesson
from trainer.regularization.iterative import IterativeRegularizer


@REGULARIZERS.register("pgd")
@dataclass(kw_only=True, eq=False)
class ProjectedGradient(IterativeRegularizer):
    """Adds the loss of the batch after steps that never leave a ball around its inputs.

    Reference:
        Madry et al., 2017, arXiv:1706.06083, without a random start.
    """

    def learn(self, batch: Batch) -> Lesson:
        clean, rising = self.run_clean(batch)
        delta = self.project(batch, self.step(batch, rising), self.pgd_epsilon)
        for _ in range(self.pgd_iterations - 1):
            found = batch.run(delta, batch.vote_loss, weights=False, values=True)
            delta = self.project(batch, self.step(batch, found.values, delta), self.pgd_epsilon)
        return clean.with_attacked(batch.run(delta, batch.vote_loss), self.multiplier)
