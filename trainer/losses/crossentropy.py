"""Cross-entropy, for one vote or several."""

from __future__ import annotations

from typing import Any

import keras

from trainer.losses.vote_loss import VoteLoss
from trainer.registry import LOSSES


@LOSSES.register("crossentropy")
@keras.saving.register_keras_serializable(package="taxofuse")
class Crossentropy(VoteLoss):
    """Cross-entropy of logits, smoothed and adjusted for rare classes as `VoteLoss` says."""

    def cost(self, log_scores: Any) -> Any:
        return -log_scores
