"""The fused classifier: branches of encoders, a fusion, votes, a pool."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from trainer.config import ModelConfig
from trainer.layers.masking import mask_absent
from trainer.layers.modality_dropout import ModalityDropout
from trainer.layers.stand_in import StandIn
from trainer.layers.vote_pool import VotePool
from trainer.pooling import Reaches
from trainer.preprocessing import Branch, present_name
from trainer.registry import ENCODERS, FUSIONS, MODALITIES, unknown


def build_votes(
    branches: Sequence[Branch],
    widths: Mapping[str, int],
    num_classes: int,
    config: ModelConfig,
    *,
    l2: float = 0.0,
    seed: int = 0,
) -> keras.Model:
    """Builds what makes of the embeddings of a row several votes on its class.

    The first vote is that of the fusion of all embeddings, or, where a row has
    nothing of a modality, that of its stand-in (see `StandIn`). Each branch has
    a vote of its own beside it, trained on its own: so no modality can lean on
    another in training.

    Args:
        branches: Which embeddings there are.
        widths: Width of the embedding of each branch.
        num_classes: int.
        config: Fusion and its regularization.
        l2: float. Penalty on the squared weights of the last layers, beside the
            sum of the losses of all votes.
        seed: int. Of the dropouts.

    Returns:
        A functional model called `votes` from a dict of embeddings
        `(batch, width)` by branch name and presences `(batch,)` by
        `present_name` to float32 logits `(batch, 1 + branches, num_classes)`,
        zeros where a branch abstains because its input is absent.
    """
    embeddings = {
        branch.name: keras.Input([widths[branch.name]], name=branch.name) for branch in branches
    }
    presents = {
        name: keras.Input([], dtype="bool", name=present_name(name))
        for name in sorted({branch.input.name for branch in branches})
    }
    kinds = sorted({branch.input.kind for branch in branches})
    without = {
        kind: sorted({branch.input.name for branch in branches if branch.input.kind == kind})
        for kind in (kinds if len(kinds) > 1 else ())
    }
    num_votes = 1 + len(without) + len(branches)
    scale = keras.layers.Rescaling(config.embedding_scale, name="embedding_scale")
    scaled = {name: scale(embedding) for name, embedding in embeddings.items()}
    shown = ModalityDropout(config.modality_dropout, seed, name="modality_dropout")(presents)
    fusion = build_fusion(config)

    def drop(name: str) -> keras.layers.Dropout:
        return keras.layers.Dropout(config.dropout, seed=seed, name=f"{name}_dropout")

    heads = {
        "kernel_initializer": "zeros",
        "kernel_regularizer": keras.regularizers.L2(l2 / num_votes) if l2 else None,
        "dtype": "float32",
    }

    def fuse(kind: str = "") -> tuple[Any, Any]:
        """Fuses what leads, but a modality.

        Returns:
            The fusion, and of which rows there is something in it.
        """
        leading = find_leading([of for of in branches if of.input.kind != kind], config)
        unseen = {
            branch.name: keras.ops.zeros_like(shown[branch.input.name]) for branch in branches
        }
        seen = {branch.name: shown[branch.input.name] for branch in leading}
        there = keras.ops.any(keras.ops.stack(list(seen.values())), axis=0)
        return fusion(scaled, {**unseen, **seen}), there

    fused = [drop("fused")(fuse()[0])]
    speaks = [keras.ops.ones_like(next(iter(shown.values())))]
    for kind in without:
        rest, there = fuse(kind)
        fused.append(drop(f"without_{kind}")(rest))
        # A row that has nothing else, such as the name of a class, teaches it nothing.
        speaks.append(there)
    fused_votes = keras.layers.EinsumDense(
        "bvd,vdc->bvc", (len(fused), num_classes), bias_axes="vc", name="fused_votes", **heads
    )(keras.ops.stack(fused, axis=1))
    own_votes = [
        keras.layers.Dense(num_classes, name=f"{branch.name}_vote", **heads)(scaled[branch.name])
        for branch in branches
    ]
    speaks += [presents[branch.input.name] for branch in branches]
    answers = keras.ops.concatenate([fused_votes, keras.ops.stack(own_votes, axis=1)], axis=1)
    answers = mask_absent(answers, keras.ops.stack(speaks, axis=1))
    if without:
        answers = StandIn(list(without.values()), dtype="float32", name="stand_in")(
            answers, presents
        )
    inputs = {tensor.name: tensor for tensor in [*embeddings.values(), *presents.values()]}
    return keras.Model(inputs, answers, name="votes")


def build_lessons(votes: keras.Model) -> keras.Model:
    """Returns what is trained of `build_votes`, with all its layers.

    Returns:
        A functional model from the same inputs to all votes, those of the
        stand-ins too, `(batch, 1 + stand-ins + branches, num_classes)`.
    """
    if not any(layer.name == "stand_in" for layer in votes.layers):
        return votes
    return keras.Model(votes.input, votes.get_layer("stand_in").input[0], name="lessons")


def build_fusion(config: ModelConfig) -> keras.layers.Layer:
    """Makes the fusion of a configuration."""
    return FUSIONS.make(config.fusion, config.fusion_options, name="fusion")


def build_voter(encoders: Mapping[str, keras.Model], votes: keras.Model) -> keras.Model:
    """Joins encoders and votes into one functional model that shares their weights.

    Args:
        encoders: Keras halves by branch name. Without some of them, the
            embeddings of those branches are inputs themselves.
        votes: What `build_votes` made, or a voter without these encoders.

    Returns:
        A functional model called `voter` from a dict of preprocessed tensors,
        embeddings and presences to what `votes` gives.
    """
    inputs: dict[str, Any] = {}
    given: dict[str, Any] = {}
    for name, tensor in votes.input.items():
        if name in encoders:
            own = _build_inputs(encoders[name].input)
            inputs.update(own)
            given[name] = encoders[name](own)
        else:
            given.update(_build_inputs({name: tensor}))
            inputs[name] = given[name]
    return keras.Model(inputs, votes(given), name="voter")


def build_ensemble(votes: Sequence[keras.Model]) -> keras.Model:
    """Joins what `build_votes` made several times into one that gives the mean of their votes.

    Its other layers are those of the first, such as the fusion.
    """
    first, *others = votes
    for index, other in enumerate(others, 2):
        other.name = f"votes_{index}"  # Keras wants other names inside of one model.
    mean = keras.layers.Average(dtype="float32", name="mean_votes")
    means = mean([first.output, *(other(first.input) for other in others)])
    return keras.Model(first.input, means, name="votes")


def _build_inputs(tensors: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: keras.Input(tensor.shape[1:], dtype=tensor.dtype, name=name)
        for name, tensor in tensors.items()
    }


def find_leading(branches: Sequence[Branch], config: ModelConfig) -> list[Branch]:
    """Returns those that are fused: without a reach, if any of them can lead, or else all."""
    free = [branch for branch in branches if branch.encoder_name not in config.reach]
    can_lead = any(MODALITIES.get(branch.input.kind).leads for branch in free)
    return free if can_lead else list(branches)


def find_reaches(branches: Sequence[Branch], config: ModelConfig) -> list[float | None]:
    """Returns the reach of each vote, see `VotePool`; what is fused has none.

    Raises:
        ValueError: for what is no encoder.
    """
    for name in config.reach:
        if name not in ENCODERS.names():
            raise ValueError(unknown("encoder in model.reach", name, ENCODERS.names()))
    fused = find_leading(branches, config)
    return [None, *(None if of in fused else config.reach[of.encoder_name] for of in branches)]


def build_scorer(
    voter: keras.Model, vote_weights: np.ndarray, reaches: Reaches = ()
) -> keras.Model:
    """Pools the votes: a model from the same inputs to probabilities `(batch, num_classes)`."""
    pool = VotePool(len(vote_weights), reaches, dtype="float32", name="pool")
    scores = keras.layers.Softmax(dtype="float32", name="scores")(pool(voter.output))
    pool.set_weights([vote_weights])
    return keras.Model(voter.input, scores, name="scorer")


def build_embedder(branches: Sequence[Branch], scorer: keras.Model) -> keras.Model:
    """Cuts a scorer off after the fusion: a model from the same inputs to `(batch, dim)`."""
    votes = scorer.get_layer("votes")
    fused = keras.Model(votes.input, votes.get_layer("fused_dropout").output, name="fused")
    encoders = {branch.name: scorer.get_layer(branch.name) for branch in branches}
    return build_voter(encoders, fused)
