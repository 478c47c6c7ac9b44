"""What speaks for the class that a product was given: by input, picture region and word."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import keras
import tensorflow as tf

from trainer.checked_preprocessing import CheckedBatch
from trainer.inputs import InputSpec
from trainer.layers.attribution import NUM_REGIONS, integrate_slopes
from trainer.layers.word_ops import Words, find_words
from trainer.preprocessing import Branch

_FUSION_STEPS = 16
_LEAST = 1e-9

Explain = Callable[[CheckedBatch, tf.Tensor], dict[str, tf.Tensor]]


def build_explain(
    branches: Sequence[Branch],
    scorer: keras.Model,
    inputs: Sequence[InputSpec],
    num_classes: int,
) -> Explain:
    """Returns a function that says what spoke for a class, in graph operations.

    What is explained is the logit of the class above the mean logit of all
    classes. It is split in two steps: among the embeddings, from none to those
    of the product (exact where fusion and heads are linear); then what an
    embedding adds among the parts of the input, by the encoder
    (`Encoder.explain`).

    Args:
        branches: Encoders.
        scorer: From preprocessed tensors to probabilities.
        inputs: Of the model.
        num_classes: int.

    Returns:
        From products and class ids `(batch,)` to outputs of the signature:
        `inputs` (string) and `shares` `(batch, inputs)`, parts of the whole:
        without their signs they sum to 1, or are all 0 where nothing spoke.
        `evidence` `(batch,)`, the logits of the whole, by which one gets logits
        of shares and of all other scores. For an image input `NAME_regions`
        `(batch, 8, 8)`; for a text input `NAME_words` (string) and
        `NAME_word_scores` `(batch, words)`. Above 0 speaks for the class.

    Reference:
        Integrated gradients (Sundararajan et al., 2017, arXiv:1703.01365),
        composed of fusion and encoders, whose paths are straight each.
    """
    encoders = {branch.name: scorer.get_layer(branch.name) for branch in branches}

    def explain(products: CheckedBatch, class_ids: tf.Tensor) -> dict[str, tf.Tensor]:
        embeddings = {
            branch.name: encoders[branch.name](
                {name: products.tensors[name] for name in branch.encoder.input_specs()},
                training=False,
            )
            for branch in branches
        }
        direction = tf.one_hot(class_ids, num_classes) - 1.0 / num_classes
        slopes = _find_slopes(scorer, embeddings, products.tensors, direction)
        added = {
            name: tf.reduce_sum(tf.cast(embeddings[name], tf.float32) * slope, axis=-1)
            for name, slope in slopes.items()
        }
        totals = tf.stack(
            [
                tf.add_n([added[of.name] for of in branches if of.input.name == spec.name])
                for spec in inputs
            ],
            axis=1,
        )
        evidence = tf.reduce_sum(tf.abs(totals), axis=1)
        scale = 1.0 / tf.maximum(evidence, _LEAST)
        outputs = {
            "inputs": tf.repeat([[spec.name for spec in inputs]], tf.shape(totals)[0], axis=0),
            "shares": totals * scale[:, None],
            "evidence": evidence,
        }
        words = {
            spec.name: find_words(products.raw[spec.name]) for spec in inputs if spec.kind == "text"
        }
        found = _explain_rows(branches, encoders, products.tensors, slopes, words)
        for spec in inputs:
            if spec.kind == "image":
                outputs[f"{spec.name}_regions"] = found[spec.name] * scale[:, None, None]
            elif spec.kind == "text":
                outputs[f"{spec.name}_words"] = words[spec.name].shown().to_tensor("")
                outputs[f"{spec.name}_word_scores"] = found[spec.name] * scale[:, None]
        return outputs

    return explain


def _find_slopes(
    scorer: keras.Model,
    embeddings: Mapping[str, tf.Tensor],
    tensors: Mapping[str, tf.Tensor],
    direction: tf.Tensor,
) -> dict[str, tf.Tensor]:
    """Returns by branch the mean slope `(batch, dim)` of the logits in a direction.

    Presences stay as they are on the way from no embedding to those of the product.
    """
    votes, pool = scorer.get_layer("votes"), scorer.get_layer("pool")
    names = list(embeddings)
    presences = {name: tensors[name] for name in votes.input if name not in embeddings}

    def repeat(of: tf.Tensor) -> tf.Tensor:
        return tf.tile(of, [_FUSION_STEPS] + [1] * (of.shape.rank - 1))

    def score(values: list[tf.Tensor]) -> tf.Tensor:
        given = dict(zip(names, values, strict=True))
        given.update({name: repeat(of) for name, of in presences.items()})
        logits = pool(votes(given, training=False), training=False)
        return tf.reduce_sum(tf.cast(logits, tf.float32) * repeat(direction), axis=-1)

    values = [tf.cast(of, tf.float32) for of in embeddings.values()]
    return dict(zip(names, integrate_slopes(score, values, _FUSION_STEPS), strict=True))


def _explain_rows(
    branches: Sequence[Branch],
    encoders: Mapping[str, keras.Model],
    tensors: Mapping[str, tf.Tensor],
    slopes: Mapping[str, tf.Tensor],
    words: Mapping[str, Words],
) -> dict[str, tf.Tensor]:
    """Returns logits by image input `(batch, 8, 8)` and by text input `(batch, words)`."""
    most = {name: tf.cast(of.texts.bounding_shape()[1], tf.int32) for name, of in words.items()}
    kinds = {branch.input.name: branch.input.kind for branch in branches}
    shapes = {
        name: (NUM_REGIONS, NUM_REGIONS) if kind == "image" else (None,)
        for name, kind in kinds.items()
        if kind in ("image", "text")
    }
    if not shapes:
        return {}

    def explain_row(row: tf.Tensor) -> dict[str, tf.Tensor]:
        own = {name: of.of_row(row) for name, of in words.items()}
        found = {
            name: tf.zeros([most[name]] if name in own else shape) for name, shape in shapes.items()
        }
        for branch in branches:
            name = branch.input.name
            if name not in shapes:
                continue
            read = {key: tensors[key][row, None] for key in branch.encoder.input_specs()}
            parts = branch.encoder.explain(
                encoders[branch.name], read, slopes[branch.name][row], own.get(name)
            )
            if parts is not None and name in own:
                parts = tf.pad(parts, [[0, most[name] - tf.size(parts)]])
            if parts is not None:
                found[name] += parts
        return found

    specs = {name: tf.TensorSpec(shape, tf.float32) for name, shape in shapes.items()}
    rows = tf.range(tf.shape(next(iter(slopes.values())))[0])
    # One after the other: what gradients need of all at once would take gigabytes.
    return tf.map_fn(explain_row, rows, fn_output_signature=specs, parallel_iterations=1)
