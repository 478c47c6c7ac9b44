"""Several votes on the class, weighted by how far each can be trusted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="taxofuse")
class VotePool(keras.layers.Layer):
    """Adds up the logits of several voters, each times its weight.

    A logarithmic opinion pool. The weights are not trained with the network,
    whose votes on its own training rows are all nearly perfect, but set from
    held-out rows (`trainer.pooling`); their size is the pool's temperature.

    A vote with a reach is heard as what it says if it can be trusted, and as
    nothing if not: the logarithm of `1 + (exp(reach) - 1) p`, with the
    probabilities `p` of its weighted logits. No two classes differ in it by
    more than the reach, whatever it votes. As the reach grows it becomes what
    it is without.

    Args:
        num_votes: int.
        reaches: Of each vote by how much at most it moves the logarithm of the
            odds of two classes, above 0; `None` for any amount. No vote has
            one by default.

    Call arguments:
        votes: float tensor `(batch, num_votes, num_classes)`; zeros where a
            voter abstains.

    Returns:
        Float tensor `(batch, num_classes)`.

    Reference:
        Genest and Zidek, 1986, "Combining probability distributions"; with one
        voter, the temperature scaling of Guo et al., 2017, arXiv:1706.04599;
        with a reach, the contamination of Huber, 1964, "Robust estimation of a
        location parameter", of a vote by the uniform one.
    """

    def __init__(self, num_votes: int, reaches: Sequence[float | None] = (), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.num_votes = num_votes
        self.reaches = tuple(reaches) or (None,) * num_votes

    def build(self, *_: Any) -> None:
        self.vote_weights = self.add_weight(
            name="vote_weights",
            shape=(self.num_votes,),
            initializer=keras.initializers.Constant(1.0 / self.num_votes),
            trainable=False,
        )

    def call(self, votes: Any) -> Any:
        weighted = ops.cast(self.vote_weights, votes.dtype)[:, None] * votes
        for vote, reach in enumerate(self.reaches):
            if reach is not None:
                scores = math.expm1(reach) * ops.softmax(weighted[:, vote : vote + 1], axis=-1)
                parts = [weighted[:, :vote], ops.log(1 + scores), weighted[:, vote + 1 :]]
                weighted = ops.concatenate(parts, axis=1)
        return ops.sum(weighted, axis=1)

    def get_config(self) -> dict[str, Any]:
        reaches = list(self.reaches)
        return {**super().get_config(), "num_votes": self.num_votes, "reaches": reaches}
