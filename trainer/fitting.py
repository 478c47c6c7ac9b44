"""Fitting the network to some rows of a catalogue."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from trainer.auxiliary import add_outputs, add_targets, build_objectives
from trainer.cluster import read_cluster
from trainer.config import Config
from trainer.distribution import split_batches, strategy_scope
from trainer.embed import FeatureStore
from trainer.features import array_batches
from trainer.files import file_state, remove_folder
from trainer.input_pipeline import prepared_dataset, write_prepared
from trainer.inputs import InputSpec
from trainer.mixing import cut_mix, mix_up
from trainer.model import build_lessons, build_votes, find_reaches
from trainer.network import Network
from trainer.objectives.objective import Objective
from trainer.pooling import fit_vote_weights, prior_weights
from trainer.preprocessing import Branch, build_branches
from trainer.regularized_model import RegularizedModel, find_points, make_regularizer
from trainer.sample import Sample
from trainer.sampling import draw_rates, draw_times
from trainer.stage import build_loss, run_stage

_AT_ONCE = 32
# Checkpoints of other versions of the program may not fit.
_CHECKPOINT_VERSION = 1


def fit_network(
    inputs: Sequence[InputSpec],
    num_classes: int,
    config: Config,
    store: FeatureStore,
    folder: Path,
    sample: Sample,
    watched: Sample,
    *,
    unlabeled: np.ndarray,
    labels: Mapping[str, np.ndarray],
    epochs: dict[str, int] | None = None,
    vote_weights: np.ndarray | None = None,
    logs: Path | None = None,
    on_epoch: Callable[[str, int, Mapping[str, float]], None] | None = None,
) -> Network:
    """Trains the votes, then the encoders that are not frozen, on some rows.

    Args:
        inputs: Which inputs to use; fewer than the catalogue has for studies.
        num_classes: int.
        config: Configuration.
        store: Where rows and embeddings are.
        folder: For checkpoints; what is found there is gone on with.
        sample: Rows to learn from.
        watched: Rows to choose the epoch and the vote weights by; may be none.
        unlabeled: `(n,)`, rows that preprocessing learns from beside the sample.
        labels: Of each column that objectives read the cells of all rows of the
            store, empty where unknown.
        epochs: Epochs by stage, where they were found before.
        vote_weights: Where they were found before.
        logs: Folder for TensorBoard.
        on_epoch: See `run_stage`.
    """
    train = config.train
    folder /= checkpoint_key(config, inputs, store, [sample, watched], unlabeled, labels, epochs)
    objectives = build_objectives(train.objectives)
    for objective in objectives:
        objective.adapt({name: labels[name][sample.rows] for name in objective.columns})
    known = np.union1d(sample.rows, unlabeled)
    with strategy_scope():
        branches, encoders = build_encoders(inputs, config, store, known)
        widths = {name: encoder.output.shape[-1] for name, encoder in encoders.items()}
        # A prior on the weights, once for the whole table, beside a mean over rows.
        l2 = train.l2 / (2 * len(sample))
        votes = build_votes(branches, widths, num_classes, config.model, l2=l2, seed=train.seed)
        lessons = add_outputs(build_lessons(votes), branches, objectives)
    reaches = find_reaches(branches, config.model)
    network = Network(branches, encoders, votes, prior_weights(len(reaches), reaches), reaches)
    class_ids = sample.class_ids
    counts = np.bincount(class_ids, sample.weights, minlength=num_classes)
    class_weights = _class_weights(counts, train.class_weights)
    weighted = dataclasses.replace(sample, weights=sample.weights * class_weights[class_ids])
    fitting = _Fitting(
        network,
        lessons,
        objectives,
        config,
        store,
        folder,
        add_targets(weighted, objectives, labels),
        add_targets(watched, objectives, labels),
        _logit_offsets(
            weighted.weights * draw_rates(sample, train.sampling),
            class_ids,
            num_classes,
            train.logit_adjustment,
        ),
        logs,
        on_epoch,
    )
    epochs = epochs or {"head": train.head_epochs, "encoders": train.encoder_epochs}
    eval_votes = fitting.train_head(epochs["head"])
    if epochs.get("encoders") and network.tuned:
        eval_votes = fitting.train_encoders(epochs["encoders"])
    if vote_weights is not None:
        network.vote_weights = vote_weights
    elif len(eval_votes):
        network.vote_weights = fit_vote_weights(eval_votes, watched.class_ids, reaches)
    return network


def build_encoders(
    inputs: Sequence[InputSpec], config: Config, store: FeatureStore, rows: np.ndarray
) -> tuple[tuple[Branch, ...], dict[str, keras.Model]]:
    """Builds the encoders of a configuration; their preprocessing learns from some rows.

    Args:
        inputs: Which inputs to use.
        config: Configuration.
        store: Where the rows are.
        rows: `(n,)`, ascending.

    Returns:
        The branches, and their Keras halves by name.
    """
    settle_process(config)
    branches = build_branches(inputs, config.model.encoders)
    store.adapt(branches, rows)
    return branches, store.build_encoders(branches)


def settle_process(config: Config) -> None:
    """Sets what a process has one of: seeds, determinism and precision."""
    keras.utils.set_random_seed(config.train.seed)
    if config.train.deterministic:
        tf.config.experimental.enable_op_determinism()
    # What is built from here on takes it up.
    keras.config.set_dtype_policy(_dtype_policy(config.train.mixed_precision))


@dataclass(frozen=True)
class _Fitting:
    """A network on its way through the stages."""

    network: Network
    taught: keras.Model
    objectives: Sequence[Objective]
    config: Config
    store: FeatureStore
    folder: Path
    sample: Sample
    watched: Sample
    logit_offsets: list[float] | None
    logs: Path | None
    on_epoch: Callable[[str, int, Mapping[str, float]], None] | None

    def train_head(self, epochs: int) -> np.ndarray:
        """Trains on embeddings that were computed once; returns votes on the watched rows."""
        train = self.config.train
        arrays = self.store.arrays(self.network.branches, self.network.encoders)
        self.network.embedded = arrays

        def batches(first_epoch: int) -> tf.data.Dataset:
            data = array_batches(
                arrays,
                self.sample,
                train.batch_size,
                seed=train.seed,
                first_epoch=first_epoch,
                sampling=train.sampling,
            )
            return mix_up(data, self.config.augment.mixup, **self._mixing(first_epoch))

        watched = array_batches(arrays, self.watched, train.batch_size)
        self._run_stage("head", batches, epochs, watched)
        return self._votes(self.network.cached_voter, watched)

    def train_encoders(self, epochs: int) -> np.ndarray:
        """Trains all that is not frozen; returns votes on the watched rows."""
        train, network = self.config.train, self.network
        embeddings = self.store.arrays(network.frozen, network.encoders)
        for name, sample in {"fit": self.sample, "watch": self.watched}.items():
            if not (self.folder / name).is_dir():
                sources = self.store.split(sample.rows)
                write_prepared(sources, sample, self.folder / name, network.computed, embeddings)

        def epoch_batches(epoch: int) -> tf.data.Dataset:
            return prepared_dataset(
                self.folder / "fit",
                train.batch_size,
                shuffle_seed=train.seed + epoch,
                deterministic=train.deterministic,
                times=draw_times(self.sample, train.sampling, train.seed, epoch),
            )

        def batches(first_epoch: int) -> tf.data.Dataset:
            parts = map(epoch_batches, range(first_epoch, epochs))
            data = functools.reduce(tf.data.Dataset.concatenate, parts)
            alpha = self.config.augment.cutmix
            return cut_mix(data, network.branches, alpha, **self._mixing(first_epoch))

        watched = prepared_dataset(self.folder / "watch", train.batch_size)
        self._run_stage("encoders", batches, epochs, watched)
        remove_folder(self.folder / "fit")
        return self._votes(network.tuned_voter, watched)

    @property
    def _steps(self) -> int:
        return -(-len(self.sample) // self.config.train.batch_size)

    def _mixing(self, first_epoch: int) -> dict[str, int]:
        """Returns what decides who is mixed with whom."""
        return {
            "num_classes": self.network.votes.output.shape[-1],
            "seed": self.config.train.seed,
            "first_step": first_epoch * self._steps,
        }

    def _model(self, stage: str) -> keras.Model:
        """Returns what a stage trains, with a training step of its own where regularized."""
        train, network = self.config.train, self.network
        model = network.join(stage, self.taught)
        if not train.regularization:
            return model
        points = find_points(network.branches, network.encoders, network.computed_in(stage))
        regularized = RegularizedModel(model.input, model.output, name=model.name)
        regularized.regularize(
            make_regularizer(train), points, build_loss(train, self.logit_offsets)
        )
        return regularized

    def _run_stage(self, name: str, data: Any, epochs: int, watched: tf.data.Dataset) -> None:
        train, network = self.config.train, self.network
        is_head = name == "head"
        tuned = [(branch.encoder.method, network.encoders[branch.name]) for branch in network.tuned]
        with strategy_scope():
            result = run_stage(
                self._model(name),
                lambda first_epoch: split_batches(data(first_epoch)),
                name=name,
                steps=self._steps,
                epochs=epochs,
                # Steps on embeddings are too short to go back to Python after each.
                steps_at_once=_AT_ONCE if is_head and read_cluster().size == 1 else 1,
                learning_rate=train.head_learning_rate if is_head else train.vote_learning_rate,
                tuned=[] if is_head else tuned,
                config=train,
                folder=self.folder / name,
                logit_offsets=self.logit_offsets,
                objectives=self.objectives,
                eval_data=split_batches(watched) if len(self.watched) else None,
                logs=self.logs and self.logs / name,
                on_epoch=self.on_epoch,
            )
        network.epochs[name] = result.best_epoch
        network.history += [
            {"stage": name, "epoch": epoch, **figures}
            for epoch, figures in enumerate(result.history, 1)
        ]

    def _votes(self, model: keras.Model, data: Any) -> np.ndarray:
        if not len(self.watched):
            return np.zeros((0, 1, 1), np.float32)
        return model.predict(data, verbose=0)


def _dtype_policy(mixed_precision: bool) -> str:
    if not mixed_precision:
        return "float32"
    return "mixed_float16" if tf.config.list_physical_devices("GPU") else "mixed_bfloat16"


def _class_weights(counts: np.ndarray, scheme: str) -> np.ndarray:
    """Returns how much a row of each class counts, 1 on average over rows.

    Args:
        counts: `(num_classes,)`, rows that each class has.
        scheme: str. See `TrainConfig.class_weights`.
    """
    if scheme == "none":
        weights = np.ones(len(counts))
    elif scheme == "balanced":
        weights = 1 / np.maximum(counts, 1)
    else:
        # The mean size of a class as the volume that its rows fill.
        beta = 1 - 1 / max(counts.mean(), 2)
        weights = (1 - beta) / (1 - beta ** np.maximum(counts, 1))
    return (weights * counts.sum() / max(weights @ counts, 1e-9)).astype(np.float32)


def _logit_offsets(
    draws: np.ndarray, class_ids: np.ndarray, num_classes: int, strength: float
) -> list[float] | None:
    """Returns the logarithms of the classes' shares of the weighted draws, times a strength."""
    if not strength:
        return None
    counts = np.bincount(class_ids, draws, minlength=num_classes)
    # A class without rows counts as the smallest that has some.
    counts = np.maximum(counts, counts[counts > 0].min())
    return (strength * np.log(counts / counts.sum())).tolist()


def encoder_files(config: Config) -> dict[str, str]:
    """Returns the state of each file that encoders start from, by its path."""
    options = [of for encoders in config.model.encoders.values() for of in encoders.values() if of]
    named = (of.get(name) for of in options for name in ("adapter", "weights"))
    given = [Path(name) for name in named if name]
    files = [
        file for path in given for file in (sorted(path.rglob("*")) if path.is_dir() else [path])
    ]
    return {str(file): file_state(file) for file in files if file.is_file()}


def checkpoint_key(
    config: Config,
    inputs: Sequence[InputSpec],
    store: FeatureStore,
    samples: Sequence[Sample],
    unlabeled: np.ndarray,
    labels: Mapping[str, np.ndarray],
    epochs: dict[str, int] | None,
) -> str:
    """Names a training by all that decides its outcome."""
    described = {
        "version": _CHECKPOINT_VERSION,
        "model": dataclasses.asdict(config.model),
        "train": dataclasses.asdict(config.train),
        "augment": dataclasses.asdict(config.augment),
        "inputs": [dataclasses.astuple(spec) for spec in inputs],
        "sources": [source.name for source in store.sources],
        "samples": [sample.digest() for sample in samples],
        "unlabeled": hashlib.sha256(unlabeled.tobytes()).hexdigest(),
        "labels": {name: cells.tolist() for name, cells in labels.items()},
        "epochs": epochs,
        "files": encoder_files(config),
    }
    text = json.dumps(described, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
