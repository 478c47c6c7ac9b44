"""Rows of a table as raw values for the model, one at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from trainer.data.cells import as_text
from trainer.data.table import PROBLEMS_COLUMN, Table
from trainer.inputs import InputSpec, columns_read
from trainer.modalities.modality import Modality
from trainer.registry import MODALITIES


@dataclass(frozen=True)
class Example:
    """One product as the model is told of it.

    Args:
        id: str.
        values: Raw value of every input, by its name; the modality's `absent`
            where the row has none.
        problems: Clauses that say what was wrong with the row's cells.
    """

    id: str
    values: dict[str, bytes | float]
    problems: tuple[str, ...]

    @property
    def status(self) -> str:
        """`"ok"`, or the problems in one line."""
        return "; ".join(self.problems) or "ok"


def row_ids(table: Table) -> list[str]:
    """Returns the column `id` as it is, doubles too, else 0-based row numbers."""
    if "id" in table.frame.columns:
        return [as_text(cell) for cell in table.frame["id"]]
    return [str(row) for row in range(len(table.frame))]


def read_examples(
    table: Table, inputs: Sequence[InputSpec], ids: Sequence[str]
) -> Iterator[Example]:
    """Yields one example per row, in order, and holds one at a time.

    A bad cell never raises: its value is absent and the example names the
    problem. The same goes for columns that the table does not have.

    Args:
        table: Table.
        inputs: What to read.
        ids: One id per row, as `row_ids` gives them.
    """
    if len(ids) != len(table.frame):
        raise ValueError(
            "Every row needs an id. "
            f"Received: len(ids)={len(ids)} for a table of {len(table.frame)} rows."
        )
    readers = [_Reader(spec, MODALITIES.get(spec.kind)(), table) for spec in inputs]
    told = table.frame.get(PROBLEMS_COLUMN)
    known = tuple(f"{name}: " for name in columns_read(inputs))
    for row, name in enumerate(ids):
        values: dict[str, bytes | float] = {}
        earlier = () if told is None else told.iat[row]
        problems = [problem for problem in earlier if problem.startswith(known)]
        for reader in readers:
            values[reader.spec.name], found = reader.read(row)
            problems.extend(found)
        yield Example(name, values, tuple(problems))


class _Reader:
    """Reads one input."""

    def __init__(self, spec: InputSpec, modality: Modality, table: Table) -> None:
        self.spec = spec
        self.modality = modality
        self.folder = table.folder
        present = [name for name in spec.columns if name in table.frame.columns]
        self.cells = [table.frame[name] for name in present]
        # Messages speak of the user's column; joined ones go by the input's name.
        self.name = spec.columns[0] if len(spec.columns) == 1 else spec.name
        self.missing = [
            f"{self.name}: column {name!r} is missing"
            for name in spec.columns
            if name not in present
        ]

    def read(self, row: int) -> tuple[bytes | float, list[str]]:
        value, problem = self.modality.read([column.iat[row] for column in self.cells], self.folder)
        return value, [*self.missing, f"{self.name}: {problem}"] if problem else self.missing
