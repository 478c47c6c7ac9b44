"""Changed copies of products to learn from: more rows, made from raw values."""

from __future__ import annotations

import hashlib
import json
import math
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from trainer.augmentations.augmentation import Augmentation
from trainer.config import AugmentConfig
from trainer.files import new_folder, write_json
from trainer.input_pipeline import CONTENTS_FILE, read_values, value_specs
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
            # Each input has chance of its own, whatever else is changed.
            name: _change(modality, chain, row[name], [*seed, zlib.crc32(name.encode())])
            for name, modality, chain in self._steps
        }


def _change(
    modality: Modality, chain: list[Augmentation], value: bytes | float, seed: Sequence[int]
) -> bytes | float:
    absent = not value if isinstance(value, bytes) else math.isnan(value)
    if absent or not chain:
        return value
    rng = np.random.default_rng(seed)
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
    return [
        _write_view(examples, inputs, augment, config, view, folder)
        for view in range(1, config.views + 1)
    ]


def _write_view(
    examples: Path,
    inputs: Sequence[InputSpec],
    augment: Augmenter,
    config: AugmentConfig,
    view: int,
    folder: Path,
) -> Path:
    contents = {}
    for spec in inputs:
        operations = config.operations.get(spec.kind)
        described = [_VIEW_VERSION, examples.name, spec.name, operations, config.seed, view]
        contents[spec.name] = f"view-{_digest(described)}" if operations else examples.name
    path = folder / f"view-{_digest(contents)}"
    if path.is_dir():
        return path

    def rows() -> Iterator[dict[str, bytes | float]]:
        for index, row in enumerate(read_values(examples, inputs)):
            yield augment(row, [config.seed, view, index])
            bar.update()

    with (
        new_folder(path) as temporary,
        progress_bar(f"Augmenting products, view {view}", count_records(examples)) as bar,
    ):
        write_records(temporary, rows(), value_specs(inputs))
        write_json(temporary / CONTENTS_FILE, contents)
    return path


def _digest(described: Any) -> str:
    return hashlib.sha256(json.dumps(described).encode()).hexdigest()[:16]


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
