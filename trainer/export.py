"""The SavedModel: raw values in, label and probabilities out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from trainer.artefact import CARD_FILE, ModelCard, find_export
from trainer.checked_preprocessing import CheckedBatch, preprocess_checked
from trainer.data.seen_rows import TRAINED_ROWS_FILE
from trainer.explanation import build_explain, embed, score_embeddings
from trainer.files import new_folder, write_json
from trainer.layers.rule_ops import exclude
from trainer.model import build_embedder
from trainer.preprocessing import Branch, raw_specs, raw_values
from trainer.registry import MODALITIES
from trainer.same_saved_model import settle_saved_model
from trainer.servable import check_servable
from trainer.warmup import WARMUP_FILE, write_warmup


@dataclass(frozen=True, eq=False)
class ServingModule:
    """The functions of an exported model, see `build_serving_module`."""

    serve: Any
    features: Any
    explain: Any
    health: Any
    tracked: tf.Module


def build_serving_module(
    branches: Sequence[Branch], scorer: keras.Model, card: ModelCard
) -> ServingModule:
    """Joins preprocessing and network into functions of raw values.

    Args:
        branches: Preprocessing.
        scorer: From preprocessed tensors to probabilities.
        card: Inputs, class names, rules and limits.

    Returns:
        A function for each signature. Three take raw values
        `(batch,)` by input name, whatever they hold (see `preprocess_checked`).
        `serve` returns `label` and `status` (string), `confidence` (float32),
        all `(batch,)`, and `scores` (float32) and `labels` (string), both
        `(batch, num_classes)`: `labels[i, j]` names `scores[i, j]`. They are
        repeated for each row because TF Serving's row format refuses outputs
        that differ in their first axis. `features` returns the fused
        `embedding` `(batch, dim)`, `scores` and `status`. `explain` returns
        `label`, `confidence`, `status` and what `build_explain` says of the
        label. `health` takes `probe` (string) `(batch,)`, runs the network once
        on a product without anything, and returns `status`, `"ok"` where the
        scores are numbers, and `card`, the card as JSON, both `(batch,)`.
    """
    embedder = build_embedder(branches, scorer)
    raw_signature = [raw_specs(card.inputs)]
    # A function of its own, so that it is in the file once.
    prepare = tf.function(
        lambda raw: preprocess_checked(branches, raw, card).to_dict(),
        raw_signature,
        autograph=False,
    )
    explain_class = build_explain(branches, scorer, card.inputs, len(card.class_names))
    class_names = tf.constant(card.class_names, tf.string)
    told = json.dumps(card.to_dict(), ensure_ascii=False)

    def score(products: CheckedBatch) -> tf.Tensor:
        return exclude(scorer(products.tensors, training=False), products.excluded)

    def answer(products: CheckedBatch, scores: tf.Tensor) -> dict[str, tf.Tensor]:
        return {
            "label": tf.gather(class_names, tf.argmax(scores, axis=-1)),
            "confidence": tf.reduce_max(scores, axis=-1),
            "status": products.status,
        }

    def serve(raw: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        products = CheckedBatch(**prepare(raw))
        scores = score(products)
        labels = tf.repeat(class_names[None], tf.shape(scores)[0], axis=0)
        return {**answer(products, scores), "scores": scores, "labels": labels}

    def features(raw: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        products = CheckedBatch(**prepare(raw))
        embedding = tf.cast(embedder(products.tensors, training=False), tf.float32)
        return {"embedding": embedding, "scores": score(products), "status": products.status}

    def explain(raw: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        products = CheckedBatch(**prepare(raw))
        embeddings = embed(branches, scorer, products.tensors)
        scores = score_embeddings(scorer, embeddings, products.tensors)
        scores = exclude(scores, products.excluded)
        found = explain_class(products, embeddings, tf.argmax(scores, axis=-1))
        return {**answer(products, scores), **found}

    def health(probe: tf.Tensor) -> dict[str, tf.Tensor]:
        absent = {spec.name: MODALITIES.get(spec.kind).absent for spec in card.inputs}
        scores = served(raw_values(card.inputs, [absent]))["scores"]
        works = tf.reduce_all(tf.math.is_finite(scores))
        status = tf.where(works, "ok", "the scores are not finite numbers")
        size = tf.shape(probe)
        return {"status": tf.fill(size, status), "card": tf.fill(size, told)}

    served = tf.function(serve, raw_signature, autograph=False)
    return ServingModule(
        serve=served,
        features=tf.function(features, raw_signature, autograph=False),
        explain=tf.function(explain, raw_signature, autograph=False),
        health=tf.function(
            health, [tf.TensorSpec([None], tf.string, name="probe")], autograph=False
        ),
        tracked=_track(branches, scorer),
    )


def _track(branches: Sequence[Branch], scorer: keras.Model) -> tf.Module:
    """Returns what a SavedModel must carry along for its functions, and no function.

    Functions would be traced once more to be saved.
    """
    module = tf.Module(name="taxofuse")
    # Keras variables wrap TensorFlow's; a SavedModel tracks the latter.
    module.network = [variable.value for variable in scorer.variables]
    module.resources = [
        resource for branch in branches for resource in branch.encoder.get_resources()
    ]
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
    return write_version(folder / str(version), branches, scorer, card, trained_rows)


def export_again(workdir: Path, path: Path) -> Path:
    """Writes the network of a workdir with the signatures of this version of taxofuse.

    Args:
        workdir: Of `taxofuse run` or `taxofuse train`, with an older export.
        path: Version folder.

    Raises:
        FileNotFoundError, ValueError: where the files of the network are missing or broken.
    """
    from trainer.saved_network import load_branches, load_network

    older = find_export(workdir)
    card = ModelCard.load(older)
    scorer, state = load_network(workdir)
    rows_file = older / "assets.extra" / TRAINED_ROWS_FILE
    rows = np.load(rows_file) if rows_file.is_file() else np.zeros(0, np.uint64)
    return write_version(path, load_branches(state, card.inputs), scorer, card, rows)


def write_version(
    path: Path,
    branches: Sequence[Branch],
    scorer: keras.Model,
    card: ModelCard,
    trained_rows: np.ndarray,
) -> Path:
    """Writes a version folder, which appears whole; see `export_saved_model`."""
    with new_folder(path) as temporary:
        module = build_serving_module(branches, scorer, card)
        # Traced functions with names: the signatures' arguments are the inputs.
        signatures = {
            "serving_default": module.serve.get_concrete_function(),
            "features": module.features.get_concrete_function(),
            "explain": module.explain.get_concrete_function(),
            "health": module.health.get_concrete_function(),
        }
        tf.saved_model.save(module.tracked, str(temporary), signatures=signatures)
        settle_saved_model(temporary)
        check_servable(temporary)
        write_json(temporary / "assets.extra" / CARD_FILE, card.to_dict())
        write_warmup(temporary / "assets.extra" / WARMUP_FILE, card.inputs, card.max_batch)
        np.save(temporary / "assets.extra" / TRAINED_ROWS_FILE, trained_rows)
    return path
