"""The fused classifier: branches of encoders, a fusion, votes, a pool."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from trainer.config import ModelConfig
from trainer.layers.masking import mask_absent
from trainer.layers.modality_dropout import ModalityDropout
from trainer.layers.vote_pool import VotePool
from trainer.preprocessing import Branch, present_name
from trainer.registry import FUSIONS


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

    The first vote is that of the fusion of all embeddings. Each branch has a
    vote of its own beside it, trained on its own: so no modality can lean on
    another in training, and a row that lacks one is still answered well.

    Args:
        branches: Which embeddings there are.
        widths: Width of the embedding of each branch.
        num_classes: int.
        config: Fusion and its regularization.
        l2: float. Penalty on the squared weights of the last layers.
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
    scale = keras.layers.Rescaling(config.embedding_scale, name="embedding_scale")
    scaled = {name: scale(embedding) for name, embedding in embeddings.items()}
    shown = ModalityDropout(config.modality_dropout, seed, name="modality_dropout")(presents)
    fused = build_fusion(config)(
        scaled, {branch.name: shown[branch.input.name] for branch in branches}
    )
    fused = keras.layers.Dropout(config.dropout, seed=seed, name="fused_dropout")(fused)

    def vote(name: str) -> keras.layers.Dense:
        return keras.layers.Dense(
            num_classes,
            kernel_initializer="zeros",
            kernel_regularizer=keras.regularizers.L2(l2) if l2 else None,
            dtype="float32",
            name=name,
        )

    votes = [vote("fused_vote")(fused)]
    for branch in branches:
        own = vote(f"{branch.name}_vote")(scaled[branch.name])
        votes.append(mask_absent(own, presents[branch.input.name]))
    inputs = {tensor.name: tensor for tensor in [*embeddings.values(), *presents.values()]}
    return keras.Model(inputs, keras.ops.stack(votes, axis=1), name="votes")


def build_fusion(config: ModelConfig) -> keras.layers.Layer:
    """Makes the fusion of a configuration."""
    return FUSIONS.make(config.fusion, config.fusion_options, name="fusion")


def build_voter(
    branches: Sequence[Branch],
    encoders: Mapping[str, keras.Model],
    votes: keras.Model,
    *,
    cached: Sequence[str] = (),
) -> keras.Model:
    """Joins encoders and votes into one functional model that shares their weights.

    Args:
        branches: The branches that `votes` reads.
        encoders: Keras half of each branch that is not cached.
        votes: What `build_votes` made.
        cached: Names of branches whose embedding is an input itself, because
            it was computed before.

    Returns:
        A functional model called `voter` from a dict of preprocessed tensors
        (embeddings for cached branches) and presences to votes.
    """
    inputs: dict[str, Any] = {}
    embeddings: dict[str, Any] = {}
    for branch in branches:
        name = present_name(branch.input.name)
        if name not in inputs:
            inputs[name] = keras.Input([], dtype="bool", name=name)
        if branch.name in cached:
            width = votes.input[branch.name].shape[-1]
            inputs[branch.name] = keras.Input([width], name=branch.name)
            embeddings[branch.name] = inputs[branch.name]
        else:
            own = {
                key: keras.Input(tensor.shape[1:], dtype=tensor.dtype, name=key)
                for key, tensor in encoders[branch.name].input.items()
            }
            inputs.update(own)
            embeddings[branch.name] = encoders[branch.name](own)
    presents = {name: tensor for name, tensor in inputs.items() if name in votes.input}
    return keras.Model(inputs, votes({**presents, **embeddings}), name="voter")


def build_scorer(voter: keras.Model, vote_weights: np.ndarray) -> keras.Model:
    """Pools the votes: a model from the same inputs to probabilities `(batch, num_classes)`."""
    pool = VotePool(len(vote_weights), dtype="float32", name="pool")
    scores = keras.layers.Softmax(dtype="float32", name="scores")(pool(voter.output))
    pool.set_weights([vote_weights])
    return keras.Model(voter.input, scores, name="scorer")


def build_embedder(branches: Sequence[Branch], scorer: keras.Model) -> keras.Model:
    """Cuts a scorer off after the fusion: a model from the same inputs to `(batch, dim)`."""
    votes = scorer.get_layer("votes")
    fused = keras.Model(votes.input, votes.get_layer("fused_dropout").output, name="fused")
    encoders = {branch.name: scorer.get_layer(branch.name) for branch in branches}
    return build_voter(branches, encoders, fused)
