"""A loss that rows with wrong labels cannot dominate."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from trainer.losses.vote_loss import VoteLoss
from trainer.registry import LOSSES


@LOSSES.register("generalised_crossentropy")
@keras.saving.register_keras_serializable(package="taxofuse")
class GeneralisedCrossentropy(VoteLoss):
    """`(1 - score ** q) / q`, which stays below `1 / q` however wrong an answer is.

    Its best scores are the true probabilities to the power `1 / (1 - q)`,
    scaled to sum to 1: surer than they are. So logit adjustment works with
    `1 - q` times its strength, and label smoothing the less the higher `q` is;
    at 1 neither has any effect.

    Args:
        q: float above 0, where it nears cross-entropy, to 1, the mean absolute
            error: the higher, the less wrong labels matter, and the harder it
            is to learn.

    Reference:
        Zhang and Sabuncu, 2018, arXiv:1805.07836, without truncation.
    """

    def __init__(self, q: float = 0.7, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not 0 < q <= 1:
            raise ValueError(
                "q of the generalised cross-entropy must be above 0 and at most 1. "
                f"Received: q={q}."
            )
        self.q = q

    def cost(self, log_scores: Any) -> Any:
        return -ops.expm1(self.q * log_scores) / self.q

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "q": self.q}
