"""Training on several GPUs or workers, each with a copy of the network and a part of every batch.

All GPUs of a machine are used. Of several workers each runs the same command with `TF_CONFIG` of
its own in its environment; see https://www.tensorflow.org/guide/distributed_training. Gradients
are averaged after each step, so that all have the same weights all the time. A batch at the end
of an epoch that does not divide evenly counts a little less than on one device.
"""

from __future__ import annotations

import functools
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import keras
import tensorflow as tf

from trainer.cluster import read_cluster

_KNOWN_KERAS = ("3.15.1",)
"""Whose private functions are those that are replaced here."""


def strategy_scope() -> AbstractContextManager[Any]:
    """Returns what networks are built and fitted in; nothing special for one device."""
    strategy = join_workers()
    return strategy.scope() if strategy else nullcontext()


def split_batches(data: tf.data.Dataset) -> tf.data.Dataset:
    """Lets each worker take its part of every batch; all of it where there is one worker."""
    if read_cluster().size == 1:
        return data
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    return data.with_options(options)


@functools.cache
def join_workers() -> tf.distribute.Strategy | None:
    """Waits for the other workers, once in a process, before TensorFlow has done anything.

    Returns:
        What they share, or what the GPUs of this machine do; `None` for one worker with one
        GPU at most.
    """
    if read_cluster().size > 1:
        let_keras_fit()
        return tf.distribute.MultiWorkerMirroredStrategy()
    devices = find_gpus()
    if len(devices) < 2:
        return None
    let_keras_fit()
    return tf.distribute.MirroredStrategy(devices)


def find_gpus() -> list[str]:
    """Returns the names of this machine's GPUs; `CUDA_VISIBLE_DEVICES` hides some."""
    return [device.name for device in tf.config.list_logical_devices("GPU")]


def let_keras_fit() -> None:
    """Mends `Model.fit` of Keras for several workers.

    Keras averages scalars over workers along an axis that scalars do not have, builds the
    network from a batch that is spread over them, and clips the gradient of each worker's
    part where that of the batch is meant.

    Raises:
        ValueError: for a version of Keras that this was not tried with.
    """
    if keras.__version__ not in _KNOWN_KERAS:
        raise ValueError(
            f"Training on several workers or GPUs needs Keras {' or '.join(_KNOWN_KERAS)}, whose "
            f"fit is mended for it. Received: Keras {keras.__version__}. With "
            "CUDA_VISIBLE_DEVICES=0 one GPU is used."
        )
    from keras.src.backend.tensorflow import trainer
    from keras.src.optimizers.base_optimizer import BaseOptimizer

    if getattr(trainer, "_mended_for_workers", False):
        return
    reduce = trainer.reduce_per_replica

    def reduce_per_replica(values: Any, strategy: Any, reduction: str) -> Any:
        if reduction != "auto" or not trainer._collective_all_reduce_multi_worker(strategy):
            return reduce(values, strategy, reduction)
        return keras.tree.map_structure(
            lambda value: strategy.reduce("MEAN", value, axis=None), values
        )

    build = trainer.TensorFlowTrainer._maybe_symbolic_build

    def build_unless_built(self: Any, iterator: Any = None, data_batch: Any = None) -> None:
        # A functional model is built when it is made.
        if not self.built:
            build(self, iterator, data_batch)

    clip = BaseOptimizer._clip_gradients

    def clip_of_the_batch(self: Any, gradients: list[Any]) -> list[Any]:
        context = tf.distribute.get_replica_context()
        replicas = context.num_replicas_in_sync if context else 1
        if replicas == 1:
            return clip(self, gradients)
        whole = context.all_reduce("SUM", [tf.convert_to_tensor(of) for of in gradients])
        # Keras sums what each replica brings.
        return [gradient / replicas for gradient in clip(self, whole)]

    BaseOptimizer._clip_gradients = clip_of_the_batch
    trainer.reduce_per_replica = reduce_per_replica
    trainer.TensorFlowTrainer._maybe_symbolic_build = build_unless_built
    trainer._mended_for_workers = True
