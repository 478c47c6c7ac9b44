"""Changed copies of products to learn from: more rows, made from raw values."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from trainer.augmentations.augmentation import Augmentation
from trainer.config import AugmentConfig
from trainer.input_pipeline import read_values, value_specs
from trainer.inputs import InputSpec
from trainer.modalities.modality import Modality
from trainer.progress import progress_bar
from trainer.records import count_records, write_records
from trainer.registry import AUGMENTATIONS, MODALITIES, unknown
from trainer.sample import Sample

# What is made of the same values may differ from one version of the program to the next.
_VIEW_VERSION = 1

RawRow = Mapping[str, bytes | float]


class Augmenter:
    """Changes the values of a product.

    Args:
        inputs: Inputs of the model.
        operations: Modality to operation to the operation's options.

    Raises:
        ValueError: for an unknown modality, operation or option, an operation
            of another modality, or none that changes one of the inputs.
    """

    def __init__(
        self,
        inputs: Sequence[InputSpec],
        operations: Mapping[str, Mapping[str, Mapping[str, Any]]],
    ) -> None:
        chains = {kind: _build_chain(kind, chosen) for kind, chosen in operations.items()}
        if not any(chains.get(spec.kind) for spec in inputs):
            raise ValueError(
                "augment.views makes changed copies of products, but no operation changes one of "
                f"their inputs {[spec.name for spec in inputs]}. Set augment.operations."
                f"{inputs[0].kind}, or augment.views=0."
            )
        self._steps: list[tuple[str, Modality, list[Augmentation]]] = [
            (spec.name, MODALITIES.get(spec.kind)(), chains.get(spec.kind, [])) for spec in inputs
        ]

    def __call__(self, row: RawRow, seed: Sequence[int]) -> dict[str, bytes | float]:
        """Returns a changed row. What is absent stays absent.

        Args:
            row: Raw values by input name.
            seed: The same numbers change a row in the same way.
        """
        return {
            name: _change(modality, chain, row[name], np.random.default_rng([*seed, index]))
            for index, (name, modality, chain) in enumerate(self._steps)
        }


def _change(
    modality: Modality, chain: list[Augmentation], value: bytes | float, rng: np.random.Generator
) -> bytes | float:
    absent = not value if isinstance(value, bytes) else math.isnan(value)
    if absent or not chain:
        return value
    changed = modality.unpack(value)
    for operation in chain:
        changed = operation(changed, rng)
    return modality.pack(changed)


def _build_chain(kind: str, chosen: Mapping[str, Mapping[str, Any]]) -> list[Augmentation]:
    import inspect

    MODALITIES.get(kind)
    chain = []
    for name, options in chosen.items():
        member = AUGMENTATIONS.get(name)
        path = f"augment.operations.{kind}.{name}"
        if member.modality != kind:
            raise ValueError(
                f"Augmentation {name!r} changes {member.modality}, not {kind}. Received: {path}."
            )
        known = inspect.signature(member).parameters
        for option in options:
            if option not in known:
                raise ValueError(unknown(f"option of {path}", option, known))
        try:
            chain.append(member(**options))
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error
    return chain


def write_views(
    examples: Path, inputs: Sequence[InputSpec], config: AugmentConfig, folder: Path
) -> list[Path]:
    """Writes a changed copy of every row for each view, where it is not yet.

    Args:
        examples: Records of `write_examples`.
        inputs: Inputs of the model.
        config: Number of views, operations, seed.
        folder: Of the new folders.

    Returns:
        A folder of records for each view, rows in the order of `examples`.
    """
    if not config.views:
        return []
    augment = Augmenter(inputs, config.operations)
    described = [_VIEW_VERSION, examples.name, config.operations, config.seed]
    key = hashlib.sha256(json.dumps(described).encode()).hexdigest()[:16]
    views = [folder / f"view{view}-{key}" for view in range(1, config.views + 1)]
    for view, path in enumerate(views, 1):
        if not path.is_dir():
            with progress_bar(f"Augmenting products, view {view}", count_records(examples)) as bar:
                rows = read_values(examples, inputs)
                changed = _change_rows(rows, augment, [config.seed, view], bar)
                write_records(path, changed, value_specs(inputs))
    return views


def _change_rows(
    rows: Iterable[RawRow], augment: Augmenter, seed: Sequence[int], bar: Any
) -> Iterator[dict[str, bytes | float]]:
    for index, row in enumerate(rows):
        yield augment(row, [*seed, index])
        bar.update()


def add_views(sample: Sample, views: Sequence[np.ndarray], share: float) -> Sample:
    """Adds the views of the rows of a sample, and no others.

    Args:
        sample: Rows of the table.
        views: Of each view `(rows of the table,)`, the position of the view of
            each row in the store.
        share: float. What the views of a row together take of its weight.

    Returns:
        Rows and views; the weights of a row and its views sum to what the
        row's was.
    """
    if not views:
        return sample
    parts = [Sample(sample.rows, sample.class_ids, sample.weights * np.float32(1 - share))]
    for positions in views:
        weights = sample.weights * np.float32(share / len(views))
        parts.append(Sample(positions[sample.rows], sample.class_ids, weights))
    return sum(parts[1:], parts[0])
