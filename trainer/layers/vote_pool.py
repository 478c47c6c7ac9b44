"""Several votes on the class, weighted by how far each can be trusted."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="taxofuse")
class VotePool(keras.layers.Layer):
    """Adds up the logits of several voters, each times its weight.

    A logarithmic opinion pool. The weights are not trained with the network,
    whose votes on its own training rows are all nearly perfect, but set from
    held-out rows (`trainer.pooling`); their size is the pool's temperature.

    Args:
        num_votes: int.

    Call arguments:
        votes: float tensor `(batch, num_votes, num_classes)`; zeros where a
            voter abstains.

    Returns:
        Float tensor `(batch, num_classes)`.

    Reference:
        Genest and Zidek, 1986, "Combining probability distributions"; with one
        voter, the temperature scaling of Guo et al., 2017, arXiv:1706.04599.
    """

    def __init__(self, num_votes: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.num_votes = num_votes

    def build(self, *_: Any) -> None:
        self.vote_weights = self.add_weight(
            name="vote_weights",
            shape=(self.num_votes,),
            initializer=keras.initializers.Constant(1.0 / self.num_votes),
            trainable=False,
        )

    def call(self, votes: Any) -> Any:
        weights = ops.cast(self.vote_weights, votes.dtype)[:, None]
        return ops.sum(weights * votes, axis=1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_votes": self.num_votes}
