"""Answers for a table, from an exported model and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from trainer.answers import OK, Answers
from trainer.artefact import ModelCard, find_export
from trainer.data.examples import Example, read_examples, row_ids
from trainer.data.table import Table
from trainer.progress import progress_bar
from trainer.registry import MODALITIES

NOTHING = "nothing to go by"


class Predictor:
    """Asks an exported model, as TF Serving would.

    Args:
        path: A workdir, a folder of versions, or a version.

    Raises:
        FileNotFoundError: if there is no exported model.
    """

    def __init__(self, path: str | Path) -> None:
        self.folder = find_export(Path(path))
        self.card = ModelCard.load(self.folder)
        self._loaded: Any = None

    def answer(self, table: Table, batch_size: int = 32) -> Answers:
        """Answers every row of a table, in order.

        Args:
            table: May lack columns that the model knows; not all of them.
            batch_size: int.

        Raises:
            ValueError: if the table has none of the model's columns.
        """
        columns = [name for spec in self.card.inputs for name in spec.columns]
        if not any(name in table.frame.columns for name in columns):
            raise ValueError(
                "The table has none of the columns that this model reads. "
                f"Expected some of {columns}. Received: {list(table.frame.columns)}."
            )
        ids = row_ids(table)
        examples = read_examples(table, self.card.inputs, ids)
        num_classes = len(self.card.class_names)
        scores = [np.zeros((0, num_classes), np.float32)]
        present: dict[str, list[bool]] = {spec.name: [] for spec in self.card.inputs}
        status: list[str] = []
        with progress_bar("Answering", len(ids)) as bar:
            for batch in _batches(examples, batch_size):
                scores.append(self._ask(batch))
                for example in batch:
                    found = [_is_present(example.values[spec.name]) for spec in self.card.inputs]
                    for spec, there in zip(self.card.inputs, found, strict=True):
                        present[spec.name].append(there)
                    problems = [*example.problems, *([] if any(found) else [NOTHING])]
                    status.append("; ".join(problems) or OK)
                bar.update(len(batch))
        return Answers(
            ids=ids,
            class_names=list(self.card.class_names),
            scores=np.concatenate(scores),
            present={name: np.array(there, bool) for name, there in present.items()},
            status=status,
        )

    def _ask(self, batch: list[Example]) -> np.ndarray:
        # Seconds and gigabytes: not before the table has turned out to be one for this model.
        import tensorflow as tf
        import tensorflow_text  # noqa: F401  registers the tokenizer's operations

        if self._loaded is None:
            self._loaded = tf.saved_model.load(str(self.folder))
        raw = {
            spec.name: tf.constant(
                [example.values[spec.name] for example in batch], MODALITIES.get(spec.kind).dtype
            )
            for spec in self.card.inputs
        }
        return self._loaded.signatures["serving_default"](**raw)["scores"].numpy()


def _is_present(value: bytes | float) -> bool:
    """Says whether a raw value is not its modality's `absent`: neither empty nor NaN."""
    return bool(value) if isinstance(value, bytes) else not np.isnan(value)


def _batches(examples: Iterable[Example], size: int) -> Iterator[list[Example]]:
    iterator = iter(examples)
    while batch := list(islice(iterator, size)):
        yield batch
