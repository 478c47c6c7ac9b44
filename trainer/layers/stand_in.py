"""A vote that takes the place of the fused one where a modality is absent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="taxofuse")
class StandIn(keras.layers.Layer):
    """Answers with a vote that has learned to do without what a row lacks.

    A head that was trained on complete rows leans on the strongest modality,
    and has never seen a row without it; hiding inputs from it in training
    costs it accuracy on complete rows. So each modality has a stand-in beside
    the fused vote, which is trained on all rows and never sees that modality.

    Args:
        without: Of each stand-in the names of the inputs that it never sees.

    Call arguments:
        votes: float tensor `(batch, 1 + stand-ins + others, num_classes)`: the
            fused vote, those of the stand-ins, others.
        present: dict of input name to bool tensor `(batch,)`.

    Returns:
        Float tensor `(batch, 1 + others, num_classes)`: first the fused vote,
        or the mean of the stand-ins that miss nothing of what there is.
    """

    def __init__(self, without: Sequence[Sequence[str]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.without = [list(names) for names in without]

    def call(self, votes: Any, present: dict[str, Any]) -> Any:
        needed = ops.stack([self._is_needed(names, present) for names in self.without], axis=1)
        shares = ops.cast(needed, votes.dtype)
        shares = shares / ops.maximum(ops.sum(shares, axis=1, keepdims=True), 1)
        own, others = votes[:, 1 : 1 + len(self.without)], votes[:, 1 + len(self.without) :]
        stand_in = ops.einsum("bs,bsc->bc", shares, own)
        first = ops.where(ops.any(needed, axis=1)[:, None], stand_in, votes[:, 0])
        return ops.concatenate([first[:, None], others], axis=1)

    def _is_needed(self, without: list[str], present: dict[str, Any]) -> Any:
        """Says of which rows all is absent that a stand-in does without, and something is there."""
        others = [there for name, there in present.items() if name not in without]
        own = ops.any(ops.stack([present[name] for name in without]), axis=0)
        return ops.logical_and(ops.any(ops.stack(others), axis=0), ops.logical_not(own))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "without": self.without}
