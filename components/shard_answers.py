"""What a model answers to the products of a shard, a few hundred at a time."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd

from components.content import fingerprint
from components.examples import Example, read_shard
from trainer.answers import Answers, join_status
from trainer.artefact import ModelCard, find_export
from trainer.data.table import Table
from trainer.inputs import columns_read
from trainer.predictor import Predictor
from trainer.registry import MODALITIES

BATCH_SIZE = 32
_BATCHES_AT_ONCE = 8
_LOADING = threading.Lock()


def describe_model(model: Path) -> dict[str, str]:
    """Returns what shards share of a model, for `load_predictor`.

    Returns:
        `model`, its newest version folder, and `content`, a hash of what is in it.
    """
    folder = find_export(model).absolute()
    return {"model": str(folder), "content": fingerprint([folder])}


def load_predictor(model: str, content: str) -> Predictor:
    """Returns the model, loaded; the same to all shards that a process does, in any thread.

    Args:
        model: Version folder.
        content: Hash of what is in it. Workers outlive runs, and another model may have
            come to stand in the same folder.
    """
    with _LOADING:
        return _load(model, content)


# The two that an Evaluator compares.
@functools.lru_cache(maxsize=2)
def _load(model: str, content: str) -> Predictor:
    del content
    predictor = Predictor(model)
    absent = {spec.name: MODALITIES.get(spec.kind).absent for spec in predictor.card.inputs}
    # It is loaded by its first call: in each thread, if those were left to it.
    predictor.call([absent], "serving_default")
    return predictor


def find_kinds(card: ModelCard, columns: Iterable[str]) -> dict[str, str]:
    """Returns how the model reads the columns that there are."""
    there = set(columns)
    return {name: spec.kind for spec in card.inputs for name in spec.columns if name in there}


def read_asked(path: Path, card: ModelCard) -> Iterator[Example]:
    """Yields the products of a shard with what the model reads, and problems of that."""
    columns = columns_read(card.inputs)
    known = tuple(f"{name}: " for name in columns)
    for example in read_shard(path, columns):
        problems = tuple(told for told in example.problems if told.startswith(known))
        yield replace(example, problems=problems)


def answer_examples(
    predictor: Predictor,
    examples: Iterator[Example],
    kinds: Mapping[str, str],
    batch_size: int = BATCH_SIZE,
) -> Iterator[tuple[list[Example], Answers]]:
    """Yields products and answers, in their order; of none, once nothing.

    Args:
        predictor: Model.
        examples: Products. What was wrong with them stands first in the status.
        kinds: How the model reads their columns.
        batch_size: int. Products that the model answers at once.
    """
    first = True
    while (some := list(islice(examples, batch_size * _BATCHES_AT_ONCE))) or first:
        first = False
        answers = predictor.answer(_to_table(some, kinds), batch_size, title="")
        told = zip(some, answers.status, strict=True)
        # What is broken in the source is empty here.
        status = [join_status(example.problems, status) for example, status in told]
        yield some, replace(answers, status=status)


def _to_table(examples: list[Example], kinds: Mapping[str, str]) -> Table:
    cells: dict[str, list[Any]] = {"id": [example.id for example in examples]}
    for name, kind in kinds.items():
        values = (example.values.get(name) for example in examples)
        as_bytes = kind == "image"
        cells[name] = [
            value.decode() if isinstance(value, bytes) and not as_bytes else value
            for value in values
        ]
    columns = {name: pd.Series(own, dtype=object) for name, own in cells.items()}
    return Table(pd.DataFrame(columns), Path())
