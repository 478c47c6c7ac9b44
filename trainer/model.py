"""The fused classifier: branches of encoders, a fusion, a head."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras

from trainer.config import ModelConfig
from trainer.layers.calibrated_softmax import CalibratedSoftmax
from trainer.layers.modality_dropout import ModalityDropout
from trainer.preprocessing import Branch, present_name
from trainer.registry import FUSIONS, unknown


def build_encoders(branches: Sequence[Branch]) -> dict[str, keras.Model]:
    """Builds the Keras half of every branch; loads its weights."""
    return {branch.name: branch.encoder.build() for branch in branches}


def build_head(
    branches: Sequence[Branch],
    widths: Mapping[str, int],
    num_classes: int,
    config: ModelConfig,
    *,
    l2: float = 0.0,
    seed: int = 0,
) -> keras.Model:
    """Builds what joins embeddings into one score a class.

    Args:
        branches: Which embeddings there are.
        widths: Width of the embedding of each branch.
        num_classes: int.
        config: Fusion and its regularization.
        l2: float. Penalty on the squared weights of the last layer.
        seed: int. Of the dropouts.

    Returns:
        A functional model called `head` from a dict of embeddings
        `(batch, width)` by branch name and presences `(batch,)` by
        `present_name` to float32 logits `(batch, num_classes)`.
    """
    fusion = build_fusion(config)
    embeddings = {
        branch.name: keras.Input([widths[branch.name]], name=branch.name) for branch in branches
    }
    input_names = sorted({branch.input.name for branch in branches})
    presents = {
        name: keras.Input([], dtype="bool", name=present_name(name)) for name in input_names
    }
    shown = ModalityDropout(config.modality_dropout, seed, name="modality_dropout")(presents)
    scale = keras.layers.Rescaling(config.embedding_scale, name="embedding_scale")
    fused = fusion(
        {name: scale(embedding) for name, embedding in embeddings.items()},
        {branch.name: shown[branch.input.name] for branch in branches},
    )
    fused = keras.layers.Dropout(config.dropout, seed=seed, name="fused_dropout")(fused)
    logits = keras.layers.Dense(
        num_classes,
        kernel_initializer="zeros",
        kernel_regularizer=keras.regularizers.L2(l2) if l2 else None,
        dtype="float32",
        name="logits",
    )(fused)
    inputs = {tensor.name: tensor for tensor in [*embeddings.values(), *presents.values()]}
    return keras.Model(inputs, logits, name="head")


def build_fusion(config: ModelConfig) -> keras.layers.Layer:
    """Makes the fusion of a configuration."""
    import inspect

    member = FUSIONS.get(config.fusion)
    known = [
        name
        for name, parameter in inspect.signature(member).parameters.items()
        if parameter.kind is not parameter.VAR_KEYWORD
    ]
    for name in config.fusion_options:
        if name not in known:
            raise ValueError(unknown(f"option of fusion {config.fusion!r}", name, known))
    return member(**config.fusion_options, name="fusion")


def build_classifier(
    branches: Sequence[Branch],
    encoders: Mapping[str, keras.Model],
    head: keras.Model,
    *,
    cached: Sequence[str] = (),
) -> keras.Model:
    """Joins encoders and head into one functional model that shares their weights.

    Args:
        branches: The branches that `head` reads.
        encoders: Keras half of each branch that is not cached.
        head: What `build_head` made.
        cached: Names of branches whose embedding is an input itself, because
            it was computed before.

    Returns:
        A functional model called `classifier` from a dict of preprocessed
        tensors (embeddings for cached branches) and presences to logits.
    """
    inputs: dict[str, Any] = {}
    embeddings: dict[str, Any] = {}
    for branch in branches:
        name = present_name(branch.input.name)
        if name not in inputs:
            inputs[name] = keras.Input([], dtype="bool", name=name)
        if branch.name in cached:
            width = head.input[branch.name].shape[-1]
            inputs[branch.name] = keras.Input([width], name=branch.name)
            embeddings[branch.name] = inputs[branch.name]
        else:
            own = {
                key: keras.Input(tensor.shape[1:], dtype=tensor.dtype, name=key)
                for key, tensor in encoders[branch.name].input.items()
            }
            inputs.update(own)
            embeddings[branch.name] = encoders[branch.name](own)
    presents = {name: tensor for name, tensor in inputs.items() if name in head.input}
    logits = head({**presents, **embeddings})
    return keras.Model(inputs, logits, name="classifier")


def build_scorer(classifier: keras.Model, temperature: float) -> keras.Model:
    """Adds calibrated probabilities: a model from the same inputs to `(batch, num_classes)`."""
    scores = CalibratedSoftmax(temperature, name="scores")(classifier.output)
    return keras.Model(classifier.input, scores, name="scorer")
