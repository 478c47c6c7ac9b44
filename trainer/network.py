"""A trained classifier with its preprocessing."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from scipy.special import softmax

from trainer.embed import FeatureStore
from trainer.features import StackedRows, array_batches
from trainer.input_pipeline import product_dataset
from trainer.model import build_scorer, build_voter
from trainer.pooling import Reaches, pool_votes
from trainer.preprocessing import Branch, present_name
from trainer.sample import Sample


@dataclass
class Network:
    """A trained classifier with its preprocessing.

    Args:
        branches: The encoders' preprocessing halves.
        encoders: Their Keras halves, by branch name.
        votes: From embeddings to votes, see `build_votes`.
        vote_weights, reaches: `(num_votes,)`, see `VotePool`.
        history: One dict an epoch, with `stage` and `epoch`.
        epochs: Stage to the number of epochs that gave the result.
        spread: Unlabeled rows among those learned from, as what.
        embedded: What the first stage read of all rows, see `FeatureStore.arrays`.
    """

    branches: tuple[Branch, ...]
    encoders: dict[str, keras.Model]
    votes: keras.Model
    vote_weights: np.ndarray
    reaches: Reaches = ()
    history: list[dict[str, Any]] = field(default_factory=list)
    epochs: dict[str, int] = field(default_factory=dict)
    spread: Sample = field(default_factory=lambda: Sample.of([], []))
    embedded: Mapping[str, StackedRows] = field(default_factory=dict)

    @functools.cached_property
    def voter(self) -> keras.Model:
        """Preprocessed tensors to votes `(batch, num_votes, num_classes)`."""
        return build_voter(self.encoders, self.votes)

    @functools.cached_property
    def cached_voter(self) -> keras.Model:
        """The same from embeddings of pretrained branches, as the first stage has them."""
        return self.join("head", self.votes)

    @functools.cached_property
    def tuned_voter(self) -> keras.Model:
        """The same from embeddings of frozen branches, as the second stage has them."""
        return self.join("encoders", self.votes)

    def join(self, stage: str, votes: keras.Model) -> keras.Model:
        """Joins votes, or what has their inputs, with the encoders that a stage computes."""
        return build_voter({name: self.encoders[name] for name in self.computed_in(stage)}, votes)

    def computed_in(self, stage: str) -> list[str]:
        """Returns the names of the branches whose encoders a stage computes."""
        return [
            branch.name
            for branch in self.computed
            if stage == "encoders" or not branch.encoder.pretrained
        ]

    @property
    def frozen(self) -> list[Branch]:
        """Pretrained branches that neither stage changes."""
        return [
            branch
            for branch in self.branches
            if branch.encoder.pretrained and not branch.encoder.method.trains
        ]

    @property
    def computed(self) -> list[Branch]:
        """Branches that the second stage computes at every step: all but the frozen ones."""
        return [branch for branch in self.branches if branch not in self.frozen]

    @property
    def tuned(self) -> list[Branch]:
        """Pretrained branches that the second stage trains."""
        return [
            branch
            for branch in self.branches
            if branch.encoder.pretrained and branch.encoder.method.trains
        ]

    def pool(self, votes: np.ndarray) -> np.ndarray:
        """Turns votes `(rows, num_votes, num_classes)` into probabilities, as the scorer does."""
        return softmax(pool_votes(votes, self.vote_weights, self.reaches), axis=1)

    def vote(
        self, store: FeatureStore, rows: np.ndarray
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Returns votes on ascending rows `(rows, num_votes, num_classes)`, presences by input."""
        names = list(dict.fromkeys(branch.input.name for branch in self.branches))
        if "encoders" not in self.epochs:
            arrays = store.arrays(self.branches, self.encoders)
            data = array_batches(arrays, Sample.of(rows, np.zeros(len(rows))), batch_size=256)
            votes = self.cached_voter.predict(data, verbose=0)
            return votes, {name: arrays[present_name(name)][rows] for name in names}
        vote_parts, present_parts, start = [], [], 0
        predict = tf.function(self.tuned_voter, reduce_retracing=True)
        embeddings = store.arrays(self.frozen, self.encoders)
        for source, own in store.split(rows):
            for tensors in product_dataset(source, self.computed, rows=own):
                size = len(next(iter(tensors.values())))
                taken = rows[start : start + size]
                start += size
                tensors.update({name: tf.constant(of[taken]) for name, of in embeddings.items()})
                vote_parts.append(predict(tensors, training=False).numpy())
                present_parts.append({name: tensors[present_name(name)].numpy() for name in names})
        present = {name: np.concatenate([part[name] for part in present_parts]) for name in names}
        return np.concatenate(vote_parts), present

    def count_parameters(self) -> dict[str, dict[str, int]]:
        """Returns how many weights were trained and how many there are, of all and by encoder."""
        last = self.tuned_voter if "encoders" in self.epochs else self.cached_voter
        trained = {id(weight) for weight in last.trainable_weights}
        parts = {"network": self.voter, **self.encoders}
        return {
            name: {
                "trained": sum(math.prod(of.shape) for of in part.weights if id(of) in trained),
                "all": part.count_params(),
            }
            for name, part in parts.items()
        }

    def scorer(self) -> keras.Model:
        """Returns the model from preprocessed tensors to probabilities."""
        return build_scorer(self.voter, self.vote_weights, self.reaches)
