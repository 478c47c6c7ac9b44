"""Which classes rules exclude, in graph operations on raw values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import tensorflow as tf

from trainer.data.labels import is_within
from trainer.data.rules import Rule
from trainer.inputs import MAX_CHARACTERS
from trainer.layers.ngram_ops import split_words

# Far below any probability that matters, far above where float32 ends.
_LEAST = 1e-30


def find_excluded(
    rules: Sequence[Rule], class_names: Sequence[str], raw: Mapping[str, tf.Tensor]
) -> tf.Tensor:
    """Finds the classes of which a product breaks a rule.

    An absent value breaks none. Texts are compared without regard to upper and
    lower case; a text contains another where it has its words in that order.

    Args:
        rules: None of them excludes none.
        class_names: Labels.
        raw: Raw values `(batch,)` by input name.

    Returns:
        Bool tensor `(batch, num_classes)`.
    """
    batch = tf.shape(next(iter(raw.values())))[0]
    excluded = tf.zeros([batch, len(class_names)], tf.bool)
    for rule in rules:
        covered = tf.constant([is_within(name, rule.label) for name in class_names])
        excluded |= _is_broken(rule, raw[rule.input])[:, None] & covered
    return excluded


def exclude(scores: tf.Tensor, excluded: tf.Tensor) -> tf.Tensor:
    """Sets the probabilities of excluded classes to 0 and scales the others to sum to 1.

    Args:
        scores: float32 tensor `(batch, num_classes)`, probabilities.
        excluded: bool tensor `(batch, num_classes)`. Rows in which it is true
            of no class, or of all, stay as they are.

    Returns:
        Float32 tensor `(batch, num_classes)`.
    """
    some = tf.reduce_any(excluded, axis=1, keepdims=True)
    some &= ~tf.reduce_all(excluded, axis=1, keepdims=True)
    # All that is left may have been rounded to 0.
    kept = tf.where(excluded, 0.0, tf.maximum(scores, _LEAST))
    return tf.where(some, kept / tf.reduce_sum(kept, axis=1, keepdims=True), scores)


def _is_broken(rule: Rule, values: tf.Tensor) -> tf.Tensor:
    if rule.test == "above":
        return values <= rule.value  # false of NaN, as of all that is absent
    if rule.test == "below":
        return values >= rule.value
    present = tf.not_equal(values, "")
    if rule.test == "equals":
        said = tf.strings.lower(tf.constant(rule.value), encoding="utf-8")
        values = tf.strings.lower(values, encoding="utf-8")
        return present & ~tf.reduce_any(values[:, None] == said, axis=1)
    with tf.init_scope():
        phrases = [text.decode() for text in _as_words(tf.constant(rule.value)).numpy()]
    # Words are letters, marks and digits: nothing in them that an expression would read otherwise.
    found = tf.strings.regex_full_match(_as_words(values), f".*({'|'.join(phrases)}).*")
    return present & (found if rule.test == "lacks" else ~found)


def _as_words(texts: tf.Tensor) -> tf.Tensor:
    """Returns each text as its words with a space around each, `" smart watch "`."""
    words = tf.strings.reduce_join(split_words(texts, MAX_CHARACTERS), axis=1, separator=" ")
    return tf.strings.join([" ", words, " "])
