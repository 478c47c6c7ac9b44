"""Changes of products that need no gradient: from a bench, a row and chance to a product."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from trainer.data.words import take_words
from trainer.registry import AUGMENTATIONS, MODALITIES
from trainer.robustness.probe import Bench
from trainer.robustness.subject import RawRow

RowChange = Callable[[Bench, int, np.random.Generator], RawRow]


def augmented(
    input_name: str, operation: str, hidden: Sequence[str] = (), **options: Any
) -> RowChange:
    """Applies an augmentation to one input, and hides others."""
    member = AUGMENTATIONS.get(operation)
    operate = member(**options)
    modality = MODALITIES.get(member.modality)()

    def change(bench: Bench, row: int, rng: np.random.Generator) -> RawRow:
        product = without(hidden)(bench, row, rng)
        if product[input_name] == modality.absent:
            return product
        value = modality.pack(operate(modality.unpack(product[input_name]), rng))
        return {**product, input_name: value}

    return change


def without(input_names: Sequence[str]) -> RowChange:
    """Hides some inputs."""

    def change(bench: Bench, row: int, rng: np.random.Generator) -> RawRow:
        hidden = {name: bench.subject.absent(name) for name in input_names}
        return {**bench.rows[row], **hidden}

    return change


def of_another(input_names: Sequence[str]) -> RowChange:
    """Shows some inputs of a product of another class, drawn."""

    def change(bench: Bench, row: int, rng: np.random.Generator) -> RawRow:
        others = np.flatnonzero(bench.class_ids != bench.class_ids[row])
        if not len(others):
            return bench.rows[row]
        other = bench.rows[int(rng.choice(others))]
        return {**bench.rows[row], **{name: other[name] for name in input_names}}

    return change


def stuffed(input_name: str, rate: float) -> RowChange:
    """Adds words of a product of another class, drawn, as many as a share of those there are."""

    def change(bench: Bench, row: int, rng: np.random.Generator) -> RawRow:
        product = bench.rows[row]
        others = np.flatnonzero(bench.class_ids != bench.class_ids[row])
        own = take_words(product[input_name].decode("utf-8"))
        if not own or not len(others):
            return product
        other = bench.rows[int(rng.choice(others))][input_name].decode("utf-8")
        added = take_words(other)[: max(1, round(rate * len(own)))]
        # At the front, where titles are: that is what sellers do.
        text = " ".join([*added, product[input_name].decode("utf-8")])
        return {**product, input_name: text.encode("utf-8")}

    return change


def scaled(input_name: str, factor: float) -> RowChange:
    """Multiplies a number."""

    def change(bench: Bench, row: int, rng: np.random.Generator) -> RawRow:
        value = bench.rows[row][input_name]
        if math.isnan(value):
            return bench.rows[row]
        return {**bench.rows[row], input_name: float(np.float32(value * factor))}

    return change
