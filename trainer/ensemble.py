"""Several networks as one: their votes averaged, or one network that they teach."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from trainer.config import Config
from trainer.embed import FeatureStore
from trainer.files import new_file
from trainer.fitting import checkpoint_key, fit_network
from trainer.inputs import InputSpec
from trainer.model import build_ensemble
from trainer.network import Network
from trainer.pooling import Reaches, fit_vote_weights, pool_votes, prior_weights
from trainer.preprocessing import Branch
from trainer.sample import Sample
from trainer.teacher import soften


def check_ensemble(branches: Sequence[Branch], config: Config) -> None:
    """Refuses an ensemble that would be served with the encoders of all its members.

    Raises:
        ValueError: if encoders are trained, and members not distilled into one.
    """
    train = config.train
    own = [branch.name for branch in branches if branch.learns(train.encoder_epochs)]
    if train.ensemble > 1 and own and not train.distill:
        raise ValueError(
            f"Each of {train.ensemble} members would have {own} of its own, all of which would "
            "have to be served. Freeze them with --set model.encoders.MODALITY.ENCODER."
            "tuning=frozen, or let one network learn from all members with --set "
            f"train.distill=true. Received: train.ensemble={train.ensemble}."
        )


def fit_ensemble(
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
    """Trains `train.ensemble` networks that differ in their seeds, and makes one of them.

    See `fit_network` for the arguments.

    Returns:
        A network whose votes are the mean of theirs, with the encoders that
        they share, and the history and logs of the first. Or, with
        `train.distill`, a single one that has learned what they answer to its
        training rows in place of the classes.

    Reference:
        Lakshminarayanan et al., 2017, arXiv:1612.01474, with the mean of
        logits; Hinton et al., 2015, arXiv:1503.02531, from soft targets alone,
        and with the temperature taken back by the weights of the votes.
    """
    train = config.train

    def fit(sample: Sample, *, told: bool, **changes: Any) -> Network:
        alone = {"ensemble": 1, "bootstrap": False, "distill": False, "temperature": 1.0}
        own = dataclasses.replace(train, **alone, **changes)
        return fit_network(
            inputs,
            num_classes,
            dataclasses.replace(config, train=own),
            store,
            folder,
            sample,
            watched,
            unlabeled=unlabeled,
            labels=labels,
            epochs=epochs,
            vote_weights=vote_weights,
            logs=logs if told else None,
            on_epoch=on_epoch if told else None,
        )

    def member(index: int) -> Network:
        seed = train.seed + index
        rows = _reweigh(sample, seed) if train.bootstrap else sample
        return fit(rows, told=index == 0 and not train.distill, seed=seed)

    members = map(member, range(train.ensemble))
    if not train.distill:
        network = _join(list(members))
        if vote_weights is None and len(watched):
            votes, _ = network.vote(store, watched.rows)
            network.vote_weights = fit_vote_weights(votes, watched.class_ids, network.reaches)
        return network
    # Kept, so that what learns from them goes on with the very same.
    key = checkpoint_key(config, inputs, store, [sample, watched], unlabeled, labels, epochs)
    path = folder / key / "answers.npy"
    if not path.is_file():
        # One after the other: all at once may not fit into memory.
        votes, reaches = 0.0, ()
        for of in members:
            votes, reaches = votes + of.vote(store, sample.rows)[0], of.reaches
        with new_file(path) as temporary:
            np.save(temporary, _answers(votes / train.ensemble, reaches, train.temperature))
    taught = dataclasses.replace(sample, answers=np.load(path))
    # These answers are smooth, and adjusted for rare classes, already.
    network = fit(taught, told=True, label_smoothing=0.0, logit_adjustment=0.0)
    if vote_weights is None and not len(watched):
        # No rows say how sure to be.
        network.vote_weights = network.vote_weights * train.temperature
    return network


def _join(members: Sequence[Network]) -> Network:
    first = members[0]
    epochs = {
        stage: round(np.mean([member.epochs[stage] for member in members]))
        for stage in first.epochs
    }
    votes = build_ensemble([member.votes for member in members])
    return dataclasses.replace(first, votes=votes, epochs=epochs)


def _answers(votes: np.ndarray, reaches: Reaches, temperature: float) -> np.ndarray:
    """Pools votes `(n, num_votes, num_classes)` into soft targets `(n, num_classes)`.

    By the prior weights: those that are fitted later are the pupil's.
    """
    weights = prior_weights(votes.shape[1], reaches)
    return soften(pool_votes(votes, weights, reaches), temperature)


def _reweigh(sample: Sample, seed: int) -> Sample:
    """Draws how much each row counts, 1 on average: no rare class is ever left out.

    Reference:
        Rubin, 1981, "The Bayesian bootstrap".
    """
    drawn = np.random.default_rng(seed).exponential(size=len(sample)).astype(np.float32)
    return dataclasses.replace(sample, weights=sample.weights * drawn)
