"""Whether a model may go on: an empty file that says it, as TFX has it."""

from __future__ import annotations

from pathlib import Path

BLESSED, NOT_BLESSED = "BLESSED", "NOT_BLESSED"


def write_blessing(folder: Path, blessed: bool) -> None:
    """Writes the empty file."""
    (folder / (BLESSED if blessed else NOT_BLESSED)).touch()


def is_blessed(folder: Path) -> bool:
    """Says whether a folder has the file `BLESSED`."""
    return (folder / BLESSED).is_file()
