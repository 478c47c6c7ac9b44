"""Whatever a client sent to the tensors that the network reads, in graph operations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from trainer.artefact import ModelCard
from trainer.data.rules import NO_CLASS_LEFT, NOTHING
from trainer.layers.guard import guarded
from trainer.layers.rule_ops import find_excluded
from trainer.preprocessing import Branch, present_name
from trainer.registry import MODALITIES

_OK = "ok"


@dataclass(frozen=True)
class CheckedBatch:
    """Products as the network reads them.

    Args:
        raw: Raw values `(batch,)` by input name, as far as they can be read.
        tensors: What `preprocess` gives of them.
        excluded: Bool tensor `(batch, num_classes)`, by rules.
        status: string tensor `(batch,)`, `"ok"` or what was wrong with a row.
    """

    raw: dict[str, tf.Tensor]
    tensors: dict[str, tf.Tensor]
    excluded: tf.Tensor
    status: tf.Tensor

    def to_dict(self) -> dict[str, Any]:
        """Returns what functions of graphs can return; the constructor takes it."""
        return dict(vars(self))


@tf.autograph.experimental.do_not_convert
def preprocess_checked(
    branches: Sequence[Branch], raw: Mapping[str, tf.Tensor], card: ModelCard
) -> CheckedBatch:
    """Preprocesses raw values of any content: what cannot be read counts as absent.

    Args:
        branches: The encoders.
        raw: Raw values `(batch,)` by input name, as `raw_specs` types them.
        card: Inputs, limits and rules.

    Raises:
        tf.errors.InvalidArgumentError: when run, if there are more rows than the
            card allows, or the inputs have different numbers of them.
    """
    raw = _check_batch(raw, card.max_batch)
    values: dict[str, tf.Tensor] = {}
    tensors: dict[str, tf.Tensor] = {}
    problems: dict[str, tf.Tensor] = {}
    for spec in card.inputs:
        modality = MODALITIES.get(spec.kind)()
        values[spec.name], found = modality.check(raw[spec.name], card.limits)
        told = [found]
        for branch in branches:
            if branch.input.name == spec.name:
                with guarded(card.limits) as guard:
                    tensors.update(branch.encoder.preprocess(values[spec.name]))
                told += guard.problems
                # No other operation needs the value of what could not be read.
                for unread in guard.problems:
                    values[spec.name] = tf.where(
                        tf.equal(unread, ""), values[spec.name], modality.absent
                    )
        tensors[present_name(spec.name)] = modality.present(values[spec.name])
        problems[spec.name] = _first_of(told)
    excluded = find_excluded(card.rules, card.class_names, values)
    present = [tensors[present_name(spec.name)] for spec in card.inputs]
    return CheckedBatch(values, tensors, excluded, _tell(problems, present, excluded))


def _check_batch(raw: Mapping[str, tf.Tensor], max_batch: int) -> dict[str, tf.Tensor]:
    """Returns the same values, which cannot be computed of too large a batch."""
    sizes = tf.stack([tf.shape(values)[0] for values in raw.values()])
    told = f"A batch may have at most {max_batch} rows (max_batch of the model). Send fewer."
    alike = f"All inputs must have as many rows. Expected one value a row of: {', '.join(raw)}."
    checks = [
        tf.debugging.assert_less_equal(sizes, max_batch, message=told),
        tf.debugging.assert_equal(sizes, sizes[0], message=alike),
    ]
    with tf.control_dependencies([check for check in checks if check is not None]):
        return {name: tf.identity(values) for name, values in raw.items()}


def _first_of(told: Sequence[tf.Tensor]) -> tf.Tensor:
    """Returns of each row the first text `(batch,)` that is not empty."""
    first, *others = told
    for other in others:
        first = tf.where(tf.equal(first, ""), other, first)
    return first


def _tell(
    problems: Mapping[str, tf.Tensor], present: Sequence[tf.Tensor], excluded: tf.Tensor
) -> tf.Tensor:
    """Returns the status of each row."""
    parts = [
        tf.where(tf.equal(problem, ""), "", tf.strings.join([f"{name}: ", problem]))
        for name, problem in problems.items()
    ]
    nothing = ~tf.reduce_any(tf.stack(present), axis=0)
    parts += [
        tf.where(nothing, NOTHING, ""),
        tf.where(tf.reduce_all(excluded, axis=1), NO_CLASS_LEFT, ""),
    ]
    filled = [tf.where(tf.equal(part, ""), "", tf.strings.join([part, "; "])) for part in parts]
    status = tf.strings.regex_replace(tf.strings.join(filled), "; $", "")
    return tf.where(tf.equal(status, ""), _OK, status)
