"""What every adversarial regularizer answers: from a batch to gradients of the weights."""

from __future__ import annotations

import abc
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from trainer.layers.norm_ops import NORMS, draw_inside, project, steepest
from trainer.layers.perturbation import Point, Value
from trainer.options import check_number
from trainer.registry import MODALITIES, unknown
from trainer.regularization.batch import Batch, Lesson, Pass, Tensors


@dataclass(kw_only=True, eq=False)
class Regularizer(abc.ABC):
    """Teaches a network to answer alike where its inputs are changed a little.

    A member is a dataclass that is registered with `@REGULARIZERS.register(name)`;
    its fields are `train.regularization_options`. Names are those of Neural
    Structured Learning where it has the option.

    Args:
        multiplier: float. Weight of the adversarial loss; that of the loss is 1.
        adv_step_size: float, or one by name of a `Point`. Length of a step: 1 is
            the range of `pixels`, the length of the vector of one of the
            `tokens`, that of a `text_embedding` and its like. By default 4/255
            for pixels and 0.1 for all else.
        adv_grad_norm: `"infinity"` or `"l2"`; where empty, `"infinity"` for
            pixels and `"l2"` for all else.
        modalities: Kinds that are perturbed; all that can be by default.
        together: bool. All of them at once; otherwise one, drawn for each batch.
        fused_only: bool. Asks only the vote on all inputs together to hold. A
            vote on some of them has nothing to make up for what is perturbed,
            and learns from it as it is.
        seed: int. Of what is drawn.
    """

    multiplier: float = 0.2
    adv_step_size: float | Mapping[str, float] | None = None
    adv_grad_norm: str = ""
    modalities: Sequence[str] = ()
    together: bool = True
    fused_only: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.multiplier < math.inf:
            raise ValueError(
                f"`multiplier` must be a number above 0. Received: multiplier={self.multiplier}."
            )
        given = self.adv_step_size
        for size in given.values() if isinstance(given, Mapping) else [given]:
            if size is not None:
                check_number("adv_step_size", size, 0)
        if self.adv_grad_norm not in ("", *NORMS):
            raise ValueError(
                f"`adv_grad_norm` must be one of {list(NORMS)}, or empty. "
                f"Received: adv_grad_norm={self.adv_grad_norm!r}."
            )
        self.seeds = keras.random.SeedGenerator(self.seed)

    @abc.abstractmethod
    def learn(self, batch: Batch) -> Lesson:
        """Returns what a batch teaches, in graph operations."""

    def check(self, kinds: Collection[str]) -> None:
        """Refuses options that name what a table with these modalities does not have.

        Raises:
            ValueError: naming the option.
        """
        # A configuration for many tables may have sizes for modalities that this one lacks.
        names = {"pixels", "tokens", *(f"{kind}_embedding" for kind in MODALITIES.names())}
        sizes = self.adv_step_size if isinstance(self.adv_step_size, Mapping) else {}
        for option, given, expected in (
            ("modalities", self.modalities, kinds),
            ("adv_step_size", sizes, names),
        ):
            for name in given:
                if name not in expected:
                    what = f"name in train.regularization_options.{option}"
                    raise ValueError(unknown(what, name, expected))

    def choose_points(self, points: Sequence[Point]) -> list[Point]:
        """Returns those that are perturbed."""
        return [point for point in points if not self.modalities or point.kind in self.modalities]

    def draw_kinds(self, points: Sequence[Point]) -> dict[str, Any]:
        """Returns by modality 1 where a batch is perturbed in it, else 0."""
        kinds = sorted({point.kind for point in points})
        if self.together or len(kinds) == 1:
            return dict.fromkeys(kinds, 1.0)
        drawn = tf.random.stateless_uniform([], self.seeds.next(), 0, len(kinds), tf.int32)
        return {kind: tf.cast(drawn == index, tf.float32) for index, kind in enumerate(kinds)}

    def run_clean(self, batch: Batch) -> tuple[Pass, Tensors]:
        """Runs a batch as it is; returns also gradients along which what must hold costs more."""
        clean = batch.run(values=not self.fused_only)
        if not self.fused_only:
            return clean, clean.values
        # The loss of all votes rises elsewhere than that of the one that must hold.
        return clean, batch.run(None, batch.vote_loss, weights=False, values=True).values

    def step(self, batch: Batch, gradients: Tensors, start: Tensors | None = None) -> Tensors:
        """Returns perturbations after a step along which the cost rises most."""
        steps = [
            self._length(value.point) * steepest(gradient, self._norm(value.point))
            for value, gradient in zip(batch.values, gradients, strict=True)
        ]
        return steps if start is None else [a + b for a, b in zip(start, steps, strict=True)]

    def project(self, batch: Batch, delta: Tensors, steps: float) -> Tensors:
        """Shortens perturbations to at most so many steps, inside the valid values."""
        return [
            self._project(value, own, steps) for value, own in zip(batch.values, delta, strict=True)
        ]

    def draw(self, value: Value, steps: float) -> tf.Tensor:
        """Draws a perturbation of at most so many steps."""
        drawn = draw_inside(value.tensor, self._norm(value.point), self.seeds.next())
        return self._project(value, self._length(value.point) * steps * value.mask * drawn, steps)

    def feel(self, batch: Batch, answers: tf.Tensor, delta: Tensors) -> Tensors:
        """Returns gradients, by what is perturbed, of how far votes move from given ones."""
        found = batch.run(
            delta,
            lambda outputs: divergence(answers, batch.votes(outputs)),
            weights=False,
            values=True,
        )
        return found.values

    def _project(self, value: Value, delta: tf.Tensor, steps: float) -> tf.Tensor:
        point = value.point
        delta = project(delta, self._norm(point), self._length(point) * steps)
        if point.bounds is None:
            return delta
        low, high = point.bounds
        return tf.clip_by_value(delta, low - value.tensor, high - value.tensor)

    def _norm(self, point: Point) -> str:
        return self.adv_grad_norm or point.norm

    def _length(self, point: Point) -> float:
        size = self.adv_step_size
        if isinstance(size, Mapping):
            size = size.get(point.name)
        return point.unit * (point.size if size is None else size)


def divergence(votes: Any, others: Any) -> Any:
    """Returns the mean Kullback-Leibler divergence of votes from others, of both as probabilities.

    Args:
        votes, others: Logits `(batch, num_votes, num_classes)`, or without the votes.
    """
    log_scores = tf.nn.log_softmax(tf.cast(votes, tf.float32))
    log_others = tf.nn.log_softmax(tf.cast(others, tf.float32))
    rows = tf.reduce_sum(tf.exp(log_scores) * (log_scores - log_others), axis=-1)
    return tf.reduce_mean(rows)
