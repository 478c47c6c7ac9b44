"""The SavedModel: raw values in, label and probabilities out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from trainer.artefact import CARD_FILE, TRAINED_ROWS_FILE, ModelCard, find_export
from trainer.files import new_folder, write_json
from trainer.layers.rule_ops import exclude, find_excluded
from trainer.model import build_embedder
from trainer.preprocessing import Branch, preprocess, raw_specs


def build_serving_module(
    branches: Sequence[Branch], scorer: keras.Model, card: ModelCard
) -> tf.Module:
    """Joins preprocessing and network into one function of raw values.

    Args:
        branches: Preprocessing.
        scorer: From preprocessed tensors to probabilities.
        card: Inputs, class names and rules.

    Returns:
        Module with two functions of raw values `(batch,)` by input name.
        `features` returns the fused `embedding` `(batch, dim)` and `scores`.
        `serve` returns `label` (string) and `confidence` (float32), both
        `(batch,)`, and `scores` (float32) and `labels` (string), both
        `(batch, num_classes)`: `labels[i, j]` names `scores[i, j]`. They are
        repeated for each row because TF Serving's row format refuses outputs
        that differ in their first axis.
    """
    module = tf.Module(name="taxofuse")
    # Keras variables wrap TensorFlow's; a SavedModel tracks the latter.
    module.network = [variable.value for variable in scorer.variables]
    module.resources = [
        resource for branch in branches for resource in branch.encoder.get_resources()
    ]
    embedder = build_embedder(branches, scorer)
    class_names = tf.constant(card.class_names, tf.string)

    def score(raw: Mapping[str, tf.Tensor], tensors: Mapping[str, tf.Tensor]) -> tf.Tensor:
        excluded = find_excluded(card.rules, card.class_names, raw)
        return exclude(scorer(tensors, training=False), excluded)

    def serve(raw: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        scores = score(raw, preprocess(branches, raw))
        best = tf.argmax(scores, axis=-1)
        return {
            "label": tf.gather(class_names, best),
            "confidence": tf.reduce_max(scores, axis=-1),
            "scores": scores,
            "labels": tf.repeat(class_names[None], tf.shape(scores)[0], axis=0),
        }

    def features(raw: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        tensors = preprocess(branches, raw)
        return {
            "embedding": tf.cast(embedder(tensors, training=False), tf.float32),
            "scores": score(raw, tensors),
        }

    signature = [raw_specs(card.inputs)]
    module.serve = tf.function(serve, input_signature=signature)
    module.features = tf.function(features, input_signature=signature)
    return module


def export_saved_model(
    folder: Path,
    branches: Sequence[Branch],
    scorer: keras.Model,
    card: ModelCard,
    trained_rows: np.ndarray,
) -> Path:
    """Writes the next version below a folder, unless its newest is of the same run.

    Args:
        folder: Of the versions, such as `workdir/export`.
        branches: Preprocessing.
        scorer: Network.
        card: Goes beside the graph.
        trained_rows: `digest_rows` of what was learned from; goes there too.

    Returns:
        The version folder. It appears whole: TF Serving can watch `folder`.
    """
    version = 1
    try:
        newest = find_export(folder)
    except FileNotFoundError:
        pass
    else:
        if ModelCard.load(newest).run == card.run:
            return newest
        version = int(newest.name) + 1
    path = folder / str(version)
    with new_folder(path) as temporary:
        module = build_serving_module(branches, scorer, card)
        # Traced functions with names: the signatures' arguments are the inputs.
        signatures = {
            "serving_default": module.serve.get_concrete_function(),
            "features": module.features.get_concrete_function(),
        }
        tf.saved_model.save(module, str(temporary), signatures=signatures)
        write_json(temporary / "assets.extra" / CARD_FILE, card.to_dict())
        np.save(temporary / "assets.extra" / TRAINED_ROWS_FILE, trained_rows)
    return path
