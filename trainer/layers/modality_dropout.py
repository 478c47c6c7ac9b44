"""Hides whole inputs in training, so that a missing one costs little."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="taxofuse")
class ModalityDropout(keras.layers.Layer):
    """Marks inputs of a row as absent at random; one that is present always stays.

    Args:
        rate: float. Probability with which each input of a row is hidden.
        seed: int.

    Call arguments:
        present: dict of input name to bool tensor `(batch,)`.

    Returns:
        Dict like `present`; the same in inference.

    Reference:
        Neverova et al., 2016, arXiv:1501.00102.
    """

    def __init__(self, rate: float, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = rate
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, present: dict[str, Any], training: bool | None = None) -> dict[str, Any]:
        if not training or not self.rate or len(present) < 2:
            return present
        names = sorted(present)
        before = ops.stack([present[name] for name in names], axis=-1)
        draws = keras.random.uniform(ops.shape(before), seed=self.seed_generator)
        # The input with the highest draw among those present is kept in any case.
        draws = ops.where(before, draws, ops.full_like(draws, -1.0))
        best = ops.equal(draws, ops.max(draws, axis=-1, keepdims=True))
        after = ops.logical_and(before, ops.logical_or(draws >= self.rate, best))
        return {name: after[:, i] for i, name in enumerate(names)}

    def compute_output_spec(self, present: dict[str, Any], training: bool | None = None) -> Any:
        return {
            name: keras.KerasTensor(tensor.shape, dtype="bool") for name, tensor in present.items()
        }

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}
