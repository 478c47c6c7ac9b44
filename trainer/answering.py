"""From the rows of a table to answers, whoever scores them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from itertools import islice
from typing import Any, Protocol

import numpy as np
import pandas as pd

from trainer.answers import Answers, join_status
from trainer.artefact import ModelCard
from trainer.data.examples import Example, read_examples, row_ids
from trainer.data.table import Table
from trainer.inputs import columns_read
from trainer.progress import progress_bar
from trainer.registry import unknown

SCORERS = "taxofuse.scorers"
"""Group of entry points: functions that return a `Scorer`, by what they ask."""
NOT_ANSWERED = "not answered"

Row = Mapping[str, bytes | float]
"""Raw values by input name."""
Scored = tuple[np.ndarray | None, str]
"""Probabilities `(num_classes,)` and the row's status, `"ok"` or what was wrong with it;
`None` and the cause where the row could not be scored."""


class Scorer(Protocol):
    """Whatever can score products: a model in this process, or a server."""

    card: ModelCard

    def score(self, batches: Iterable[Sequence[Row]]) -> Iterator[Sequence[Scored]]:
        """Yields what belongs to the rows of each batch, in order.

        May read some batches ahead of what it has yielded.
        """


@dataclass(frozen=True, eq=False)
class TableAnswers:
    """Answers to the rows of a table, some of which may have none.

    Args:
        ids: Of all rows.
        answers: Of the rows that have one, in order.
        failures: Row to its status, of the others.
    """

    ids: list[str]
    answers: Answers
    failures: Mapping[int, str]

    def to_frame(
        self, level_names: Sequence[str] = (), min_confidence: float = 0.0
    ) -> pd.DataFrame:
        """Returns one row a row as `Answers.to_frame`; `""` and NaN where there is no answer."""
        frame = self.answers.to_frame(level_names, min_confidence)
        if not self.failures:
            return frame
        rows = range(len(self.ids))
        frame.index = pd.Index([row for row in rows if row not in self.failures])
        # Of no answers at all, pandas would make columns of numbers.
        frame = frame.astype(dict.fromkeys(frame.columns.drop("confidence"), object)).reindex(rows)
        frame["id"] = self.ids
        frame["status"] = [self.failures.get(row, frame["status"][row]) for row in rows]
        return frame.fillna(dict.fromkeys(frame.columns.drop("confidence"), ""))


@dataclass
class _Evidence:
    """What the rows that were read so far have, and what was wrong with their cells."""

    present: list[list[bool]] = field(default_factory=list)
    problems: list[tuple[str, ...]] = field(default_factory=list)

    def note(self, example: Example) -> Row:
        self.present.append([_is_present(value) for value in example.values.values()])
        self.problems.append(example.problems)
        return example.values


def answer_table(
    scorer: Scorer, table: Table, batch_size: int, title: str = "Answering"
) -> TableAnswers:
    """Answers every row of a table, in order.

    Args:
        scorer: Says how probable each class is.
        table: May lack columns that the model knows; not all of them.
        batch_size: int. Rows at once.
        title: Of the progress bar; empty for none.

    Raises:
        ValueError: if the table has none of the model's columns.
    """
    card = scorer.card
    check_columns(card, table)
    ids = row_ids(table)
    evidence = _Evidence()
    rows = (evidence.note(example) for example in read_examples(table, card.inputs, ids))
    scored: list[Scored] = []
    with progress_bar(title, len(ids)) as bar:
        for some in scorer.score(_batches(rows, batch_size)):
            scored.extend(some)
            bar.update(len(some))
    if len(scored) != len(ids):
        raise RuntimeError(f"{len(ids)} rows were read, but {len(scored)} were scored.")
    answered = [row for row, (scores, _) in enumerate(scored) if scores is not None]
    present = np.array(evidence.present, bool).reshape(len(ids), len(card.inputs))[answered]
    answers = Answers(
        ids=[ids[row] for row in answered],
        class_names=list(card.class_names),
        scores=np.array([scored[row][0] for row in answered], np.float32).reshape(
            len(answered), len(card.class_names)
        ),
        present={spec.name: present[:, i] for i, spec in enumerate(card.inputs)},
        status=[join_status(evidence.problems[row], scored[row][1]) for row in answered],
    )
    failures = {
        row: f"{NOT_ANSWERED}: {said}"
        for row, (scores, said) in enumerate(scored)
        if scores is None
    }
    return TableAnswers(ids, answers, failures)


def missing_columns(card: ModelCard, table: Table) -> list[str]:
    """Returns the columns that a model reads and a table lacks."""
    return [name for name in columns_read(card.inputs) if name not in table.frame.columns]


def check_columns(card: ModelCard, table: Table) -> None:
    """Raises ValueError if a table has none of the model's columns."""
    columns = columns_read(card.inputs)
    if missing_columns(card, table) == columns:
        raise ValueError(
            "The table has none of the columns that this model reads. "
            f"Expected some of {columns}. Received: {list(table.frame.columns)}."
        )


def find_scorer(name: str) -> Any:
    """Returns the function that an installed package registered in the group `SCORERS`.

    Raises:
        ValueError: if there is none of that name.
    """
    found = {point.name: point for point in entry_points(group=SCORERS)}
    if name not in found:
        raise ValueError(f"{unknown('scorer', name, found)} Install taxofuse again.")
    return found[name].load()


def _is_present(value: bytes | float) -> bool:
    """Says whether a raw value is not its modality's `absent`: neither empty nor NaN."""
    return bool(value) if isinstance(value, bytes) else not np.isnan(value)


def _batches(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    iterator = iter(rows)
    while batch := list(islice(iterator, size)):
        yield batch
