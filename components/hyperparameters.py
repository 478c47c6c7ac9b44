"""Settings that were found to be better, as an artifact."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from trainer.files import write_json

FILE = "hyperparameters.json"


def write_overrides(folder: Path, overrides: Sequence[str]) -> None:
    """Writes settings `a.b=VALUE`, as `trainer.overrides.apply_overrides` reads them."""
    write_json(folder / FILE, {"overrides": list(overrides)})


def read_overrides(folder: Path) -> list[str]:
    """Reads what `write_overrides` wrote."""
    return json.loads((folder / FILE).read_text(encoding="utf-8"))["overrides"]
