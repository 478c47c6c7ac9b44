"""The loss after one step against the network."""

from __future__ import annotations

from dataclasses import dataclass

from trainer.registry import REGULARIZERS
from trainer.regularization.batch import Batch, Lesson
from trainer.regularization.regularizer import Regularizer


@REGULARIZERS.register("fgsm")
@dataclass(kw_only=True, eq=False)
class FastGradientSign(Regularizer):
    """Adds the loss of the batch after one step along the gradient of its inputs.

    Reference:
        Goodfellow et al., 2014, arXiv:1412.6572, as Neural Structured Learning's
        `AdversarialRegularization` has it, for several modalities.
    """

    def learn(self, batch: Batch) -> Lesson:
        clean, rising = self.run_clean(batch)
        attacked = batch.run(self.step(batch, rising), batch.vote_loss)
        return clean.with_attacked(attacked, self.multiplier)
