"""What is decided of a table before any picture is written: which row goes into which split."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.examples import UNLABELED
from trainer.data.columns import Column
from trainer.files import write_json

LETTERS = {"train": "t", "eval": "e", "test": "s", UNLABELED: "u", "": "-"}
"""What stands for the split of a row in a plan; `-` for one that is left out."""
_FILE = "plan.json"


@dataclass(frozen=True)
class PlannedPart:
    """Rows that are written together.

    Args:
        path: Of the part; see `components.parts`.
        folder: From which its paths of pictures are relative.
        letters: The split of each row.
        again: Whether they are of an earlier span.
    """

    path: str
    folder: str
    letters: str
    again: bool = False


@dataclass(frozen=True)
class Plan:
    """What is decided of a table.

    Args:
        columns: What each column is, in the order of the table.
        parts: All rows.
        notes: What else is known, for people.
    """

    columns: tuple[Column, ...]
    parts: tuple[PlannedPart, ...]
    notes: Mapping[str, Any]

    @property
    def kinds(self) -> dict[str, str]:
        """Kind of each column."""
        return {column.name: column.kind for column in self.columns}

    @property
    def rows(self) -> dict[str, int]:
        """Rows by split."""
        counts = Counter[str]()
        for part in self.parts:
            counts.update(part.letters)
        return {split: counts[letter] for split, letter in LETTERS.items() if split}

    def write(self, folder: Path) -> None:
        """Writes the plan, for an interrupted step to go on from."""
        write_json(folder / _FILE, dataclasses.asdict(self))

    @staticmethod
    def read(folder: Path) -> Plan | None:
        """Returns the plan of an interrupted step."""
        if not (folder / _FILE).is_file():
            return None
        told = json.loads((folder / _FILE).read_text(encoding="utf-8"))
        columns = tuple(Column(**column) for column in told["columns"])
        return Plan(columns, tuple(PlannedPart(**part) for part in told["parts"]), told["notes"])
