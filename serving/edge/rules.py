"""Which classes rules exclude: what `trainer.layers.rule_ops` does, on arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt

from serving.edge.encoders.encoder import Values
from serving.edge.texts.lower_case import lower
from serving.edge.texts.words import split_words

LABEL_SEPARATOR = " > "
MAX_CHARACTERS = 20_000
# Far below any probability that matters, far above where float32 ends.
_LEAST = np.float32(1e-30)

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Rule:
    """What is true of every product of some classes, as far as the product says anything.

    Args:
        label: A class, or the upper part of the paths of several.
        input: Name of the input that is asked.
        test: `above`, `below`, `equals`, `contains` or `lacks`.
        value: A number to be above or below; or texts, of which the input
            equals one, contains one, or contains (`lacks`) none.
    """

    label: str
    input: str
    test: str
    value: float | Sequence[str]


def find_excluded(
    rules: Sequence[Rule], class_names: Sequence[str], raw: Mapping[str, Values]
) -> Flags:
    """Finds the classes of which a product breaks a rule; an absent value breaks none.

    Args:
        rules: None of them excludes none.
        class_names: Labels.
        raw: Raw values `(batch,)` by input name.

    Returns:
        Bool array `(batch, num_classes)`.
    """
    batch = len(next(iter(raw.values())))
    excluded = np.zeros((batch, len(class_names)), np.bool_)
    for rule in rules:
        covered = np.array([_is_within(name, rule.label) for name in class_names])
        excluded |= _is_broken(rule, raw[rule.input])[:, None] & covered
    return excluded


def exclude(scores: npt.NDArray[np.float32], excluded: Flags) -> npt.NDArray[np.float32]:
    """Sets the probabilities of excluded classes to 0 and scales the others to sum to 1.

    Args:
        scores: float32 array `(batch, num_classes)`, probabilities.
        excluded: bool array `(batch, num_classes)`. Rows in which it is true
            of no class, or of all, stay as they are.
    """
    some = excluded.any(axis=1, keepdims=True) & ~excluded.all(axis=1, keepdims=True)
    # All that is left may have been rounded to 0.
    kept = np.where(excluded, np.float32(0), np.maximum(scores, _LEAST))
    total = kept.sum(axis=1, keepdims=True)
    return np.where(some, kept / np.where(some, total, np.float32(1)), scores)


def _is_within(label: str, node: str) -> bool:
    return label == node or label.startswith(node + LABEL_SEPARATOR)


def _is_broken(rule: Rule, values: Values) -> Flags:
    if rule.test in ("above", "below"):
        numbers, limit = np.asarray(values, np.float32), np.float32(cast(float, rule.value))
        # False of NaN, as of all that is absent.
        return numbers <= limit if rule.test == "above" else numbers >= limit
    said = cast(Sequence[str], rule.value)
    find = _find_equal if rule.test == "equals" else _find_words
    found = find(values, said)
    present = np.array([bool(value) for value in values], np.bool_)
    return present & (found if rule.test == "lacks" else ~found)


def _find_equal(values: Values, said: Sequence[str]) -> Flags:
    known = {lower(text) for text in said}
    return np.array([lower(value.decode("utf-8", "replace")) in known for value in values], bool)


def _find_words(values: Values, said: Sequence[str]) -> Flags:
    phrases = [_as_words(text.encode()) for text in said]
    texts = [_as_words(value) for value in values]
    return np.array([any(phrase in text for phrase in phrases) for text in texts], bool)


def _as_words(text: bytes) -> str:
    """Returns a text as its words with a space around each, `" smart watch "`."""
    return f" {' '.join(split_words(text, MAX_CHARACTERS))} "
