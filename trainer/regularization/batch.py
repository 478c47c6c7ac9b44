"""A batch of a training step, which can be run with perturbations."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from trainer.layers.perturbation import Point, Value, run_perturbed

Tensors = list[tf.Tensor]
"""One tensor for each value that passes at the points of a network, in order."""

Delta = Tensors | Callable[[Value], tf.Tensor]
"""Perturbations, or what makes the one of a value."""


@dataclass(frozen=True)
class Lesson:
    """What a batch teaches.

    Args:
        loss: float tensor `()`, the loss of the batch that is logged.
        outputs: Of the network, for metrics.
        gradients: By trainable weight.
        adversarial_loss: float tensor `()`, that of the perturbed batch.
    """

    loss: tf.Tensor
    outputs: Any
    gradients: list[Any]
    adversarial_loss: tf.Tensor


@dataclass(frozen=True)
class Pass:
    """What came of running a network once.

    Args:
        cost: float tensor `()`, what was asked for.
        outputs: Of the network.
        weights: Gradients of the cost by trainable weight.
        values: Its gradients by value at the points.
    """

    cost: tf.Tensor
    outputs: Any
    weights: list[Any]
    values: Tensors

    def with_attacked(self, attacked: Pass, multiplier: float) -> Lesson:
        """Returns what is learned from this batch, and `multiplier` times from an attacked one."""
        gradients = add_gradients(self.weights, attacked.weights, multiplier)
        return Lesson(self.cost, self.outputs, gradients, attacked.cost)


def add_gradients(own: list[Any], others: list[Any], times: float = 1.0) -> list[Any]:
    """Returns `own + times * others`, of which any may be `None` or sparse."""
    return [
        first
        if second is None
        else times * tf.convert_to_tensor(second)
        + (0.0 if first is None else tf.convert_to_tensor(first))
        for first, second in zip(own, others, strict=True)
    ]


class Batch:
    """A batch of a training step, which can be run with perturbations.

    Args:
        model: The network in training.
        points: Where perturbations enter.
        tensors: Its inputs.
        loss: From outputs to the whole loss, penalties and objectives in it.
        vote_loss: From outputs to the loss of the votes alone.
        votes: From outputs to logits `(batch, num_votes, num_classes)`.
        kinds: By modality 1 where it is perturbed, else 0.
        scale: From a cost to what gradients are taken of, as float16 wants it.
    """

    def __init__(
        self,
        model: Any,
        points: Sequence[Point],
        tensors: Mapping[str, tf.Tensor],
        *,
        loss: Callable[[Any], tf.Tensor],
        vote_loss: Callable[[Any], tf.Tensor],
        votes: Callable[[Any], tf.Tensor],
        kinds: Mapping[str, Any],
        scale: Callable[[tf.Tensor], tf.Tensor] = lambda cost: cost,
    ) -> None:
        self.model = model
        self.points = points
        self.tensors = tensors
        self.loss = loss
        self.vote_loss = vote_loss
        self.votes = votes
        self._kinds = kinds
        self._scale = scale
        self.values: list[Value] = []
        """What passes at the points without perturbations; known after the first run."""

    def forward(
        self, delta: Delta | None = None, watch: Callable[[tf.Tensor], None] | None = None
    ) -> tuple[Any, Tensors]:
        """Returns outputs, and the values at the points with the perturbation in them."""
        values: list[Value] = []
        reached: Tensors = []

        def change(value: Value) -> tf.Tensor:
            tensor = value.tensor
            mask = value.mask * self._kinds[value.point.kind]
            value = dataclasses.replace(value, mask=mask)
            if delta is not None:
                own = delta(value) if callable(delta) else delta[len(values)]
                tensor = tensor + mask * own
                if value.point.bounds is not None:
                    tensor = tf.clip_by_value(tensor, *value.point.bounds)
            if watch is not None:
                watch(tensor)
            values.append(value)
            reached.append(tensor)
            return tensor

        outputs = run_perturbed(self.model, self.points, self.tensors, change, training=True)
        if not self.values:
            self.values = values
        return outputs, reached

    def run(
        self,
        delta: Delta | None = None,
        cost: Callable[[Any], tf.Tensor] | None = None,
        *,
        weights: bool = True,
        values: bool = False,
    ) -> Pass:
        """Runs the network and returns gradients.

        Args:
            delta: Perturbations of `values`, or what makes one of each; none by
                default.
            cost: From outputs to what the gradients are of; `loss` by default.
            weights: bool. Whether those of the weights are wanted.
            values: bool. Whether those of the values at the points are.
        """
        trained = self.model.trainable_weights if weights else []
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([weight.value for weight in trained])
            outputs, reached = self.forward(delta, tape.watch if values else None)
            total = (cost or self.loss)(outputs)
            scaled = self._scale(total)
        asked = [weight.value for weight in trained] + (reached if values else [])
        gradients = tape.gradient(scaled, asked)
        own = gradients[len(trained) :]
        found = [
            tf.zeros_like(tensor) if gradient is None else value.mask * gradient
            for value, tensor, gradient in zip(self.values, reached, own, strict=bool(values))
        ]
        return Pass(total, outputs, gradients[: len(trained)], found)

    def learn_beside(self, term: Callable[[Any], tf.Tensor], multiplier: float) -> Lesson:
        """Learns the loss without perturbations, and `multiplier` times a term of its outputs."""
        terms: Tensors = []

        def cost(outputs: Any) -> tf.Tensor:
            terms[:] = self.loss(outputs), term(outputs)
            return terms[0] + multiplier * terms[1]

        found = self.run(None, cost)
        return Lesson(terms[0], found.outputs, found.weights, terms[1])
