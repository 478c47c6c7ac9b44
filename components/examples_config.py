"""How what `components.examples.read_table` returns is to be read: as its source was."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from components.examples import SPLIT_COLUMN, ExamplesInfo
from trainer.config import DataConfig
from trainer.data.table import PROBLEMS_COLUMN
from trainer.registry import MODALITIES


def data_config(
    info: ExamplesInfo, given: DataConfig | None = None, auxiliary: Sequence[str] = ()
) -> DataConfig:
    """Returns the settings with which `load_catalogue` decides what ExampleGen has decided.

    Args:
        info: Of the examples.
        given: Settings that say nothing of columns and splits, such as `taxonomy`.
        auxiliary: Columns that auxiliary objectives read; given to `load_catalogue` too.
    """
    modalities = MODALITIES.names()
    kinds = {name: kind for name, kind in info.kinds.items() if kind in modalities}
    for name, kind in info.kinds.items():
        if kind not in (*modalities, "label") and name != "id" and name not in auxiliary:
            kinds[name] = "ignored"
    kinds[PROBLEMS_COLUMN] = "ignored"
    return dataclasses.replace(
        given or DataConfig(),
        label=info.label,
        label_separator=info.notes.get("label_separator", ""),
        text=info.notes.get("text", "joined"),
        ignore=(),
        use=tuple(name for name, kind in kinds.items() if kind in modalities),
        columns=kinds,
        split=SPLIT_COLUMN,
    )
