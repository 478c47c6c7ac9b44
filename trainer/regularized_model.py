"""A network whose training step learns from perturbed batches too."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from trainer.config import TrainConfig
from trainer.layers.perturbation import Point, embedding_point
from trainer.preprocessing import Branch
from trainer.registry import REGULARIZERS
from trainer.regularization.batch import Batch
from trainer.regularization.regularizer import Regularizer


class RegularizedModel(keras.Model):
    """A functional model, made of another's `inputs` and `outputs`, for `model.fit`.

    `loss` and the metrics are those of the batch as it is, comparable with
    those of other rows; what a regularizer adds is logged beside them.
    """

    def regularize(
        self,
        regularizer: Regularizer,
        points: Sequence[Point],
        vote_loss: Callable[..., Any],
    ) -> None:
        """Says how to learn.

        Args:
            regularizer: What is learned from a batch.
            points: Where the network may be perturbed.
            vote_loss: Loss of the votes.
        """
        self.regularizer = regularizer
        self.points = regularizer.choose_points(points)
        self.vote_loss = vote_loss
        self.seeds = regularizer.seeds  # its state is saved with the weights
        self.adversarial_loss = keras.metrics.Mean(name="adversarial_loss")

    def train_step(self, data: Any) -> dict[str, Any]:
        tensors, targets, weights = keras.utils.unpack_x_y_sample_weight(data)
        lesson = self.regularizer.learn(
            Batch(
                self,
                self.points,
                tensors,
                loss=lambda outputs: self.compute_loss(
                    x=tensors, y=targets, y_pred=outputs, sample_weight=weights, training=True
                ),
                vote_loss=lambda outputs: self.vote_loss(
                    _votes(targets), self._held(outputs), sample_weight=weights
                ),
                votes=self._held,
                kinds=self.regularizer.draw_kinds(self.points),
                scale=self.optimizer.scale_loss,
            )
        )
        self.optimizer.apply(lesson.gradients, self.trainable_weights)
        num_rows = tf.shape(tf.nest.flatten(tensors)[0])[0]
        # Of several replicas each computes its part of the mean.
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        self._loss_tracker.update_state(lesson.loss * replicas, sample_weight=num_rows)
        self.adversarial_loss.update_state(
            lesson.adversarial_loss * replicas, sample_weight=num_rows
        )
        return self.compute_metrics(tensors, targets, lesson.outputs, weights)

    def _held(self, outputs: Any) -> Any:
        """Returns the votes that are asked to hold; the fused one is the first."""
        votes = _votes(outputs)
        return votes[:, :1] if self.regularizer.fused_only else votes

    def test_step(self, data: Any) -> dict[str, Any]:
        figures = super().test_step(data)
        return {name: of for name, of in figures.items() if name != self.adversarial_loss.name}


def _votes(of: Any) -> Any:
    """Returns the part of outputs or targets that is of the votes."""
    return of["votes"] if isinstance(of, dict) else of


def check_regularization(branches: Sequence[Branch], config: TrainConfig) -> None:
    """Refuses an adversarial regularizer, or options of it, that does not fit the inputs.

    Raises:
        ValueError: naming the option.
    """
    if config.regularization:
        make_regularizer(config).check({branch.input.kind for branch in branches})


def make_regularizer(config: TrainConfig) -> Regularizer:
    """Makes the adversarial regularizer of a configuration."""
    return REGULARIZERS.make(config.regularization, config.regularization_options)


def find_points(
    branches: Sequence[Branch], encoders: Mapping[str, keras.Model], computed: Collection[str]
) -> list[Point]:
    """Returns where a voter may be perturbed.

    Args:
        branches: Its branches.
        encoders: Keras halves by branch name.
        computed: Names of the branches that it computes; of the others it reads
            the embedding.
    """
    points: list[Point] = []
    for branch in branches:
        if branch.name in computed:
            points += branch.encoder.find_points(encoders[branch.name])
        else:
            points.append(embedding_point(branch.input.kind, branch.name))
    return points
