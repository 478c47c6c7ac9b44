"""What every adversarial regularizer answers: from a batch to gradients of the weights."""

from __future__ import annotations

import abc
import dataclasses
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import tensorflow as tf

from trainer.layers.norm_ops import NORMS, draw_inside, project, steepest
from trainer.layers.perturbation import Point, Value, run_perturbed
from trainer.registry import unknown

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
        seed: int. Of what is drawn.
    """

    multiplier: float = 0.2
    adv_step_size: float | Mapping[str, float] | None = None
    adv_grad_norm: str = ""
    modalities: Sequence[str] = ()
    together: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.multiplier < math.inf:
            raise ValueError(
                f"`multiplier` must be a number above 0. Received: multiplier={self.multiplier}."
            )
        given = self.adv_step_size
        for size in given.values() if isinstance(given, Mapping) else [given]:
            if size is not None:
                at_least("adv_step_size", size, 0)
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
        names = {"pixels", "tokens", *(f"{kind}_embedding" for kind in kinds)}
        sizes = self.adv_step_size if isinstance(self.adv_step_size, Mapping) else {}
        for option, expected in {"modalities": kinds, "adv_step_size": names}.items():
            for name in sizes if option == "adv_step_size" else self.modalities:
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


def at_least(name: str, value: float, limit: float) -> None:
    """Refuses an option that is no number from `limit` on."""
    if not limit <= value < math.inf:
        raise ValueError(f"`{name}` must be a number of at least {limit}. Received: {value}.")


def divergence(votes: Any, others: Any) -> Any:
    """Returns the mean Kullback-Leibler divergence of votes from others, of both as probabilities.

    Args:
        votes, others: Logits `(batch, num_votes, num_classes)`, or without the votes.
    """
    log_scores = tf.nn.log_softmax(tf.cast(votes, tf.float32))
    log_others = tf.nn.log_softmax(tf.cast(others, tf.float32))
    rows = tf.reduce_sum(tf.exp(log_scores) * (log_scores - log_others), axis=-1)
    return tf.reduce_mean(rows)
