"""Labels that people have reviewed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from trainer.data.cells import as_text
from trainer.data.table import Table, read_table
from trainer.registry import unknown


@dataclass
class Corrections:
    """Label cells by id, and what became of them.

    Args:
        path: Of the table that they stand in; empty where there is none.
        label: Label columns.
        cells: By id, one a label column; empty where somebody looked and could not say.
    """

    path: str
    label: tuple[str, ...]
    cells: dict[str, tuple[str, ...]]
    changed: set[str] = field(default_factory=set)
    confirmed: set[str] = field(default_factory=set)

    def apply(self, table: Table, ids: Sequence[str]) -> Table:
        """Returns the table with the reviewed labels."""
        rows = [row for row, name in enumerate(ids) if name in self.cells]
        if not rows:
            return table
        frame = table.frame.copy(deep=False)
        for name in self.label:
            if name not in frame.columns:
                frame[name] = ""
        old = frame[list(self.label)].astype(object)
        new = old.copy()
        for row in rows:
            listed = tuple(as_text(cell) for cell in old.iloc[row])
            (self.confirmed if listed == self.cells[ids[row]] else self.changed).add(ids[row])
            new.iloc[row] = self.cells[ids[row]]
        for name in self.label:
            frame[name] = new[name]
        return Table(frame, table.folder)

    @property
    def unmatched(self) -> list[str]:
        """Ids that no row has."""
        return [name for name in self.cells if name not in self.changed | self.confirmed]

    def describe(self) -> str:
        """Says what became of them, in a line for people."""
        said = (
            f"{len(self.changed)} products have other labels by {self.path}, "
            f"{len(self.confirmed)} are confirmed"
        )
        if without := self.unmatched:
            shown = ", ".join(map(repr, without[:5]))
            said += f"; {len(without)} ids match no product, first {shown}"
        return said


def read_corrections(path: str, label: tuple[str, ...]) -> Corrections:
    """Reads a table of `id` and the label columns; its other columns do not matter.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if a column is missing, or an id has two labels.
    """
    if not path:
        return Corrections("", label, {})
    if not label:
        raise ValueError(f"Corrections correct labels: which columns? Received: {path}, label=().")
    frame = read_table(path).frame
    for name in ("id", *label):
        if name not in frame.columns:
            raise ValueError(f"Corrections, {path}: {unknown('column', name, frame.columns)}")
    cells: dict[str, tuple[str, ...]] = {}
    for row in frame[["id", *label]].itertuples(index=False, name=None):
        name, *told = map(as_text, row)
        if cells.setdefault(name, tuple(told)) != tuple(told):
            raise ValueError(
                f"Corrections, {path}: an id has one label. Received: {name!r} with "
                f"{cells[name]} and {tuple(told)}."
            )
    return Corrections(Path(path).name, label, cells)
