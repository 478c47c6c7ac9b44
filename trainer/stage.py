"""One stage of training: a model, rows, a learning rate, a number of epochs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from trainer.averaging import build_optimizer
from trainer.callbacks.main_task import MainTask
from trainer.callbacks.progress import Progress
from trainer.callbacks.resume import Resume
from trainer.config import TrainConfig
from trainer.metrics.pooled_accuracy import PooledAccuracy
from trainer.objectives.objective import Objective
from trainer.registry import LOSSES
from trainer.tuning.tuning import Tuning


@dataclass(frozen=True)
class StageResult:
    """What a stage did.

    Args:
        history: One dict an epoch: losses and accuracies, `seconds`, `learning_rate`.
        best_epoch: How many epochs gave the weights that the model has now.
    """

    history: list[dict[str, float]]
    best_epoch: int


def run_stage(
    model: keras.Model,
    data: Callable[..., tf.data.Dataset],
    *,
    name: str,
    steps: int,
    steps_at_once: int = 1,
    epochs: int,
    learning_rate: float,
    tuned: Sequence[tuple[Tuning, keras.Model]] = (),
    config: TrainConfig,
    folder: Path,
    loss: keras.Loss | None = None,
    logit_offsets: Sequence[float] | None = None,
    objectives: Sequence[Objective] = (),
    eval_data: tf.data.Dataset | None = None,
    logs: Path | None = None,
    on_epoch: Callable[[str, int, Mapping[str, float]], None] | None = None,
    listeners: Sequence[keras.callbacks.Callback] = (),
) -> StageResult:
    """Trains a model from where its folder says it was.

    Args:
        model: From tensors by name to votes `(batch, num_votes, num_classes)`,
            with objectives to a dict of `votes` and their outputs.
        data: From `first_epoch`, the number of finished epochs, to a data set of
            `(tensors, targets, weights)` batches for all others. Targets are
            class ids, soft targets (see `VoteLoss`), or a dict by output.
        name: str. For people and for TensorBoard.
        steps: int. Batches an epoch.
        steps_at_once: int. How many may pass before callbacks hear of it.
        epochs: int.
        learning_rate: float. Its peak, see `build_optimizer`.
        tuned: Pairs of a tuning method, which has a peak of its own, and the
            encoder that it was applied to.
        config: Decay, loss, patience, averaging.
        folder: For checkpoints.
        loss: Of the votes; by default that of the configuration.
        logit_offsets: See `VoteLoss`.
        objectives: What is learned beside the votes.
        eval_data: Batches to watch.
        logs: Folder for TensorBoard.
        on_epoch: Called with the name of the stage, the epoch from 1 on, and
            its figures.
        listeners: More callbacks.

    Returns:
        `StageResult`; the model holds the best epoch's weights, averaged
        where that is configured. Averaged ones are what `eval_data` judges too.
    """
    if isinstance(tf.distribute.get_strategy(), tf.distribute.MirroredStrategy):
        steps_at_once = 1  # TensorFlow loses the feeds of a loop that several devices share
    losses: Any = loss or build_loss(config, logit_offsets)
    metrics: Any = [PooledAccuracy()]
    weights = {name: of.weight for of in objectives for name in of.losses()}
    if objectives:
        losses, metrics = {"votes": losses}, {"votes": metrics}
        for objective in objectives:
            losses.update(objective.losses())
    model.compile(
        optimizer=build_optimizer(config, learning_rate, epochs, steps, tuned),
        loss=losses,
        loss_weights={"votes": 1.0, **weights} if objectives else None,
        metrics=metrics,
        weighted_metrics=[],
        # On a CPU, XLA compiles longer than these stages run.
        jit_compile=False,
        steps_per_execution=_largest_divisor(steps, steps_at_once),
    )
    # Variables made while the first step is traced would have it traced twice.
    model.optimizer.build(model.trainable_variables)
    resume = Resume(folder, config.patience)
    done = resume.restore(model)
    if done < epochs and not resume.is_over:
        callbacks = [MainTask(weights), resume, Progress(name, epochs, done, steps), *listeners]
        if config.average:
            callbacks.append(keras.callbacks.SwapEMAWeights())
        if logs is not None:
            callbacks.append(keras.callbacks.TensorBoard(str(logs), profile_batch=0))
        if on_epoch is not None:
            callbacks.append(
                keras.callbacks.LambdaCallback(
                    on_epoch_end=lambda epoch, _: on_epoch(name, epoch + 1, resume.history[-1])
                )
            )
        model.fit(
            data(first_epoch=done),
            steps_per_epoch=steps,
            validation_data=eval_data,
            epochs=epochs,
            initial_epoch=done,
            callbacks=callbacks,
            shuffle=False,
            verbose=0,
        )
    else:
        resume.set_model(model)
        resume.load_best()
    return StageResult(resume.history, resume.best_epoch)


def build_loss(config: TrainConfig, logit_offsets: Sequence[float] | None = None) -> keras.Loss:
    """Makes the loss of a configuration."""
    return LOSSES.make(
        config.loss,
        config.loss_options,
        label_smoothing=config.label_smoothing,
        logit_offsets=logit_offsets,
    )


def _largest_divisor(number: int, limit: int) -> int:
    """Finds how many steps at once end exactly with the epoch."""
    return max(n for n in range(1, limit + 1) if number % n == 0)
