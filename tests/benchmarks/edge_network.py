"""Networks and products for the benchmarks of devices."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from trainer.config import Config, load_config
from trainer.inputs import InputSpec
from trainer.model import build_scorer, build_voter, build_votes
from trainer.overrides import apply_overrides
from trainer.preprocessing import Branch, build_branches, preprocess

Tensors = Mapping[str, np.ndarray]

_INPUTS = (
    InputSpec("image_bytes", "image", ("image",)),
    InputSpec("text", "text", ("title",)),
)
_RANDOM = ("image.resnet50", "text.bert")
_NUM_CLASSES = 20


def build_network() -> tuple[keras.Model, list[Branch]]:
    """Builds the network of `bert_resnet50` for pictures and texts, drawn at random.

    Returns:
        `(network, branches)`: from tensors to `logits` and `scores`.
    """
    keras.utils.set_random_seed(0)
    config, branches = load_flagship(), build_branches_only()
    encoders = {branch.name: branch.encoder.build() for branch in branches}
    widths = {name: encoder.output.shape[-1] for name, encoder in encoders.items()}
    votes = build_votes(branches, widths, _NUM_CLASSES, config.model)
    voter = build_voter(encoders, votes)
    draw_weights(voter)
    num_votes = voter.output.shape[1]
    scorer = build_scorer(voter, np.full(num_votes, 1 / num_votes, np.float32))
    outputs = {"logits": scorer.get_layer("pool").output, "scores": scorer.output}
    return keras.Model(scorer.input, outputs, name="device"), branches


def load_flagship() -> Config:
    """Returns the configuration, which needs no weights."""
    settings = [f"model.encoders.{name}.weights=random" for name in _RANDOM]
    return apply_overrides(load_config("bert_resnet50"), settings)


def build_branches_only() -> list[Branch]:
    """Returns the preprocessing: encoders that first learn a vocabulary, and cost little, lack."""
    branches = build_branches(_INPUTS, load_flagship().model.encoders)
    return [branch for branch in branches if not branch.encoder.adapts]


def draw_weights(voter: keras.Model) -> None:
    """Draws what starts at zero or one: batch normalisations and last layers."""
    rng = np.random.default_rng(0)
    for layer in voter._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.gamma.assign(rng.uniform(0.5, 1.5, layer.gamma.shape))
            layer.beta.assign(rng.normal(0, 0.3, layer.beta.shape))
            layer.moving_mean.assign(rng.normal(0, 0.3, layer.moving_mean.shape))
            layer.moving_variance.assign(rng.uniform(0.5, 2, layer.moving_variance.shape))
    for weight in voter.get_layer("votes").trainable_weights:
        if "vote" in weight.path and "kernel" in weight.path:
            weight.assign(rng.normal(scale=0.3, size=weight.shape))


def cut(network: keras.Model, part: str) -> keras.Model:
    """Returns `picture`, the `lower` or the `upper` half of BERT, or the `votes`."""
    if part == "picture":
        return network.get_layer("image_bytes_resnet50")
    if part == "votes":
        votes = network.get_layer("votes")
        return keras.Model(votes.input, network.get_layer("pool")(votes.output))
    bert = network.get_layer("text_bert")
    backbone = bert.get_layer("text_bert_backbone").layer
    token_ids = keras.Input((None,), dtype="int32", name="text_bert_token_ids")
    mask = keras.Input((None,), dtype="int32", name="text_bert_padding_mask")
    if part == "lower":
        below = keras.Model(backbone.input, backbone.get_layer("transformer_layer_5").output)
        given = {"token_ids": token_ids, "padding_mask": mask}
        hidden = below({**given, "segment_ids": keras.ops.zeros_like(token_ids)})
        return keras.Model({token_ids.name: token_ids, mask.name: mask}, hidden)
    hidden = x = keras.Input((128, 768), name="hidden")
    for index in range(6, 12):
        x = backbone.get_layer(f"transformer_layer_{index}")(x, padding_mask=mask)
    pooled = bert.get_layer("text_bert_unit")(bert.get_layer("text_bert_pooling")(x, mask))
    return keras.Model({hidden.name: hidden, mask.name: mask}, pooled)


def read_products(table: Path, branches: list[Branch], rows: int) -> list[dict[str, np.ndarray]]:
    """Reads titles and pictures of a table, drawn at random: of each product its tensors."""
    frame = pd.read_csv(table, keep_default_na=False).sample(rows, random_state=0)
    products = []
    for title, image in zip(frame["title"], frame["image"], strict=True):
        raw = {"text": [title.encode()], "image_bytes": [(table.parent / image).read_bytes()]}
        tensors = preprocess(branches, {name: tf.constant(of) for name, of in raw.items()})
        products.append({name: of.numpy() for name, of in tensors.items()})
    return products


def shorten(branches: list[Branch], tensors: Tensors) -> dict[str, np.ndarray]:
    """Cuts texts as the program of the device does."""
    short = dict(tensors)
    for branch in branches:
        short |= branch.encoder.shorten(tensors)
    return short


def stack(products: list[Tensors]) -> dict[str, np.ndarray]:
    """Returns several products as one batch."""
    return {name: np.concatenate([of[name] for of in products]) for name in products[0]}
