"""Training of a network that rounds its values: it learns the answers that it gave before."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from trainer.callbacks.quantizer_ranges import QuantizerRanges
from trainer.config import TrainConfig
from trainer.device_graph import with_logits
from trainer.input_pipeline import prepared_dataset, product_dataset, write_prepared
from trainer.layers.perturbation import Point
from trainer.layers.vote_pool import VotePool
from trainer.preprocessing import Branch
from trainer.quantization.quantizer import Quantizer
from trainer.records import count_records
from trainer.regularized_model import RegularizedModel, find_points, make_regularizer
from trainer.sample import Sample
from trainer.stage import StageResult, run_stage


class LogitDistance(keras.losses.Loss):
    """Mean squared difference of logits, apart from what all classes have in common.

    On products that a network has learned from it is so sure that probabilities
    tell next to nothing of what rounding has moved; logits do.

    Call arguments:
        y_true: float tensor `(batch, num_classes)`.
        y_pred: float tensor `(batch, 1, num_classes)`.

    Reference:
        Ba and Caruana, 2014, arXiv:1312.6184.
    """

    def call(self, y_true: Any, y_pred: Any) -> Any:
        moved = y_pred[:, 0] - ops.cast(y_true, y_pred.dtype)
        moved -= ops.mean(moved, axis=-1, keepdims=True)
        return ops.mean(ops.square(moved), axis=-1)


def write_lessons(
    scorer: keras.Model,
    branches: Sequence[Branch],
    sources: Sequence[tuple[Path, np.ndarray]],
    folder: Path,
) -> None:
    """Writes what there is to learn from, where it is not yet: products and their logits.

    Args:
        scorer: The network before it rounds anything.
        branches: Its preprocessing.
        sources: Records of `write_examples`, and which of their rows, ascending.
        folder: Of the new records.
    """
    if folder.is_dir():
        return
    network = with_logits(scorer)
    answer = tf.function(lambda tensors: network(tensors, training=False), reduce_retracing=True)
    answers = [
        answer({name: tensors[name] for name in scorer.input})["logits"].numpy()
        for source, rows in sources
        for tensors in product_dataset(source, branches, rows=rows)
    ]
    size = sum(map(len, answers))
    sample = Sample.of(np.arange(size), np.zeros(size), answers=np.concatenate(answers))
    write_prepared(sources, sample, folder, branches, {})


def train_quantized(
    network: keras.Model,
    quantizer: Quantizer,
    lessons: Path,
    config: TrainConfig,
    *,
    folder: Path,
    points: Sequence[Point] = (),
    logs: Path | None = None,
    listeners: Sequence[keras.callbacks.Callback] = (),
) -> StageResult:
    """Trains all weights of a prepared network, from where its folder says it was.

    Args:
        network: That the quantizer has prepared, from tensors by name to a dict
            with `logits` `(batch, num_classes)`. Nothing is dropped in it any
            more: its answers are those to learn, not others beside them.
        quantizer: Says how long and how fast.
        lessons: What `write_lessons` wrote.
        config: Adversarial regularization, seed and the like of the run.
        folder: For checkpoints. Trained again, attached and calibrated anew on
            the same products, the network goes on with them.
        points: Where it may be perturbed, see `find_device_points`.
        logs: Folder for TensorBoard, which shows the ranges, too.
        listeners: More callbacks.

    Returns:
        What the stage did; the network has the weights of its last epoch.
    """
    keras.utils.set_random_seed(config.seed)
    _wake(network)
    config = dataclasses.replace(
        config, batch_size=quantizer.batch_size, patience=0, average="", weight_decay=0.0
    )
    logits = ops.expand_dims(network.output["logits"], 1)
    model = keras.Model(network.input, logits, name="quantized")
    loss = LogitDistance()
    if config.regularization:
        regularized = RegularizedModel(model.input, model.output, name=model.name)
        regularized.regularize(make_regularizer(config), points, loss)
        model = regularized

    def epoch_batches(epoch: int) -> tf.data.Dataset:
        data = prepared_dataset(lessons, config.batch_size, shuffle_seed=config.seed + epoch)
        return data.map(
            lambda tensors, answers, weights: (
                {name: tensors[name] for name in network.input},
                answers,
                weights,
            )
        )

    def batches(first_epoch: int) -> tf.data.Dataset:
        data = epoch_batches(first_epoch)
        for epoch in range(first_epoch + 1, quantizer.epochs):
            data = data.concatenate(epoch_batches(epoch))
        return data

    return run_stage(
        model,
        batches,
        name="quantized",
        steps=-(-count_records(lessons) // config.batch_size),
        epochs=quantizer.epochs,
        learning_rate=quantizer.learning_rate,
        config=config,
        loss=loss,
        folder=folder,
        logs=logs,
        listeners=[*listeners, *([] if logs is None else [QuantizerRanges(logs)])],
    )


def find_device_points(scorer: keras.Model, branches: Sequence[Branch]) -> list[Point]:
    """Returns where a saved network may be perturbed: of frozen encoders, at their embeddings.

    Args:
        scorer: As it was saved, before anything is woken.
        branches: Its preprocessing.
    """
    encoders: Mapping[str, keras.Model] = {
        branch.name: scorer.get_layer(branch.name) for branch in branches
    }
    computed = [
        branch.name
        for branch in branches
        if not branch.encoder.pretrained or encoders[branch.name].trainable_variables
    ]
    return [
        dataclasses.replace(point, place=encoders[point.place])
        if isinstance(point.place, str)
        else point
        for point in find_points(branches, encoders, computed)
    ]


def _wake(network: keras.Model) -> None:
    """Lets all weights learn, without dropout, penalties or statistics of batches."""
    network.trainable = True
    for layer in network._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization | VotePool):
            layer.trainable = False
        if hasattr(layer, "rate"):
            layer.rate = 0.0
    for variable in network.variables:
        variable.regularizer = None
