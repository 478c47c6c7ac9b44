"""Cross-entropy that cares less about what is right already."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from trainer.losses.vote_loss import VoteLoss
from trainer.registry import LOSSES


@LOSSES.register("focal")
@keras.saving.register_keras_serializable(package="taxofuse")
class Focal(VoteLoss):
    """Cross-entropy times `(1 - score) ** gamma`: sure and right answers hardly count.

    It does not aim at true probabilities, so label smoothing and logit
    adjustment shift the answers as they do those of cross-entropy, but not by
    exactly as much.

    Args:
        gamma: float of at least 0, where it is cross-entropy.

    Reference:
        Lin et al., 2017, arXiv:1708.02002, over all classes by softmax, and
        without its weights by class: `train.class_weights` has them.
    """

    def __init__(self, gamma: float = 2.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not gamma >= 0:
            raise ValueError(f"gamma of the focal loss must be at least 0. Received: gamma={gamma}")
        self.gamma = gamma

    def cost(self, log_scores: Any) -> Any:
        # Where a score is 1, the slope of a power below 1 is infinite.
        missing = ops.maximum(1 - ops.exp(log_scores), keras.config.epsilon())
        return -ops.power(missing, self.gamma) * log_scores

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "gamma": self.gamma}
