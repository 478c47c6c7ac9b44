"""The mean loss on the way of an attack, at the price of the attack alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from trainer.layers.perturbation import Value
from trainer.registry import REGULARIZERS
from trainer.regularization.batch import Batch, Lesson, Tensors, add_gradients
from trainer.regularization.iterative import IterativeRegularizer


@REGULARIZERS.register("freelb")
@dataclass(kw_only=True, eq=False)
class FreeLargeBatch(IterativeRegularizer):
    """Learns from the batch at every step of an attack that starts nearby.

    Each run gives the gradients of the weights together with those for the
    next step, so `pgd_iterations` steps cost as many runs. The loss is the
    mean over the runs, of which the first, whose perturbation is drawn, counts
    1 and the others `multiplier`; `adversarial_loss` is that of the last.

    Args:
        multiplier: float. 1 as published.

    Reference:
        Zhu et al., 2019, arXiv:1909.11764, for several modalities as VILLA has
        it (Gan et al., 2020, arXiv:2006.06195).
    """

    fewest: ClassVar[int] = 2

    multiplier: float = 1.0

    def learn(self, batch: Batch) -> Lesson:
        delta: Tensors = []

        def start(value: Value) -> Any:
            delta.append(self.draw(value, self.pgd_epsilon))
            return delta[-1]

        runs = self.pgd_iterations
        share = 1 / (1 + self.multiplier * (runs - 1))
        found = batch.run(
            start,
            lambda outputs: batch.loss(outputs) - (1 - share) * batch.vote_loss(outputs),
            values=True,
        )
        weight = self.multiplier * share
        loss, outputs, gradients = found.cost, found.outputs, found.weights
        for run in range(1, runs):
            delta = self.project(batch, self.step(batch, found.values, delta), self.pgd_epsilon)
            found = batch.run(
                delta,
                lambda outputs: weight * batch.vote_loss(outputs),
                values=run < runs - 1,
            )
            loss += found.cost
            gradients = add_gradients(gradients, found.weights)
        return Lesson(loss, outputs, gradients, found.cost / weight)
