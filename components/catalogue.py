"""Examples as the catalogue that training reads."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from components.examples import ExamplesInfo, read_table
from components.examples_config import data_config
from trainer.catalogue import Catalogue, load_catalogue
from trainer.config import DataConfig

_AUXILIARY = "auxiliary label"


def load_examples(folder: Path, data: DataConfig) -> Catalogue:
    """Reads examples as `trainer.catalogue.load_catalogue` reads a table.

    What each column is and which split a row is in were decided when the examples were
    made; taxonomy, suspicions and further rows without a label are read here.

    Args:
        folder: Artifact of examples.
        data: How the table that they come from was to be read.

    Raises:
        ValueError: as `load_catalogue`.
    """
    info = ExamplesInfo.read(folder)
    table = read_table(folder)
    table.frame.attrs["folder"] = str(table.folder)
    auxiliary = [name for name, kind in info.kinds.items() if kind == _AUXILIARY]
    catalogue = load_catalogue(
        table.frame, data_config(info, data, auxiliary), lambda line: None, auxiliary=auxiliary
    )
    return dataclasses.replace(
        catalogue,
        columns={column.name: column for column in info.columns},
        leaks=info.notes["leaks"],
        num_groups=info.notes["near_duplicate_groups"],
    )
