"""Low-rank changes of kernels whose ranks are given to where they matter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import keras
from keras import ops

from trainer.layers.low_rank import add_low_rank, find_kernels, merge_low_rank
from trainer.registry import TUNING
from trainer.tuning.tuning import Tuning, at_least_one, train_only

_FACTORS = ("left", "singular_values", "right")
# Of the running means of sensitivity and of its uncertainty.
_DECAY = 0.85


@TUNING.register("adalora")
class AdaLora(Tuning):
    """Trains `A diag(s) B` beside kernels, and zeroes the least important values of `s`.

    A value matters as much as the loss would change without it and without
    its column of `A` and its row of `B`, by the gradient, averaged over steps
    and weighted with how much that varies. All kernels share one budget of
    values. It is full at first, falls, and keeps its last division to the end.

    Args:
        learning_rate: float.
        rank: int. Values a kernel at the end, on average.
        first_rank: int. Values a kernel at first.
        orthogonality: float. Weight of the penalty that keeps the columns of
            `A` and the rows of `B` orthonormal, so that values can be compared.
        warmup: float. Share of the steps with the full budget.
        settled: float. Share of the steps, at the end, with the last budget.
        layers: str. As for `lora`.

    Reference:
        Zhang et al., 2023, arXiv:2303.10512. `A` and `B` start orthonormal,
        not Gaussian.
    """

    part: ClassVar[str] = "kernels"

    def __init__(
        self,
        learning_rate: float = 2e-3,
        rank: int = 8,
        first_rank: int = 12,
        orthogonality: float = 0.1,
        warmup: float = 0.2,
        settled: float = 0.3,
        layers: str = "",
    ) -> None:
        super().__init__(learning_rate)
        at_least_one(rank=rank)
        if first_rank < rank:
            raise ValueError(
                "`first_rank` must be at least `rank`. "
                f"Received: first_rank={first_rank}, rank={rank}."
            )
        if min(warmup, settled) < 0 or warmup + settled >= 1:
            raise ValueError(
                "`warmup` and `settled` must be shares that leave steps between them. "
                f"Received: warmup={warmup}, settled={settled}."
            )
        self.rank = rank
        self.first_rank = first_rank
        self.orthogonality = orthogonality
        self.warmup = warmup
        self.settled = settled
        self.layers = layers
        self._changed: list[keras.Layer] = []
        self._means: list[dict[str, tuple[keras.Variable, keras.Variable]]] = []

    def apply(self, model: keras.Model, pattern: str) -> None:
        self._changed = find_kernels(model, self.layers or pattern)
        for layer in self._changed:
            add_low_rank(
                layer,
                self.first_rank,
                left=keras.initializers.Orthogonal(),
                right=keras.initializers.Orthogonal(),
                singular_values="zeros",
                regularizer=self._penalty,
            )
        train_only(model, [getattr(of, name) for of in self._changed for name in _FACTORS])

    def start(self, add_variable: Callable[..., keras.Variable]) -> None:
        def mean(layer: keras.Layer, name: str) -> keras.Variable:
            return add_variable(getattr(layer, name).shape, "zeros", name=f"{name}_mean")

        self._means = [
            {name: (mean(layer, name), mean(layer, name)) for name in _FACTORS}
            for layer in self._changed
        ]

    def after_step(self, gradients: Mapping[int, Any], step: Any, num_steps: int) -> None:
        step = ops.cast(step, "float32")
        last, first = (1 - self.settled) * num_steps, self.warmup * num_steps
        # Once the budget is settled, so is who has it.
        learns = ops.cast(step <= last, "float32")
        for layer, means in zip(self._changed, self._means, strict=True):
            for name, pair in means.items():
                factor = getattr(layer, name)
                _update_means(*pair, ops.abs(factor * gradients[id(factor)]), learns)
        left = ops.clip((last - step) / (last - first), 0.0, 1.0)
        budget = len(self._changed) * (self.rank + (self.first_rank - self.rank) * left**3)
        importance = ops.concatenate([_importance(means) for means in self._means])
        place = ops.argsort(ops.argsort(-importance))
        keep = ops.cast(ops.cast(place, "float32") < ops.round(budget), "float32")
        parts = ops.split(keep, len(self._changed))
        for layer, part in zip(self._changed, parts, strict=True):
            layer.singular_values.assign(layer.singular_values * part)

    def merge(self, model: keras.Model) -> None:
        for layer in self._changed:
            merge_low_rank(layer)
        self._changed = []

    def _penalty(self, columns: Any) -> Any:
        """Returns how far the columns of `(n, rank)` are from orthonormal."""
        gram = ops.matmul(ops.transpose(columns), columns)
        return self.orthogonality * ops.sum((gram - ops.eye(self.first_rank)) ** 2)


def _update_means(
    sensitivity: keras.Variable, uncertainty: keras.Variable, new: Any, learns: Any
) -> None:
    rate = learns * (1 - _DECAY)
    sensitivity.assign_add(rate * (new - sensitivity))
    uncertainty.assign_add(rate * (ops.abs(new - sensitivity) - uncertainty))


def _importance(means: dict[str, tuple[keras.Variable, keras.Variable]]) -> Any:
    """Returns of each value its own importance and the mean one of its vectors, `(rank,)`."""
    scores = {name: ops.multiply(*pair) for name, pair in means.items()}
    left, right = ops.mean(scores["left"], axis=0), ops.mean(scores["right"], axis=1)
    return scores["singular_values"] + left + right
