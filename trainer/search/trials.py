"""What a search has measured so far, on disk."""

from __future__ import annotations

import csv
import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trainer.files import new_file, write_json

OBJECTIVES = {"accuracy": "max", "macro_f1": "max", "log_loss": "min"}
"""What can be searched for, and in which direction."""


@dataclass(frozen=True)
class Trial:
    """One configuration, measured.

    Args:
        of: Key of what was varied: configuration, data and folds.
        settings: What differs from it.
        figures: `OBJECTIVES` by name; empty where the trial failed.
        seconds: How long it took.
        error: Why it failed.
    """

    of: str
    settings: Mapping[str, Any]
    figures: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    error: str = ""


class TrialLog:
    """Remembers trials in a JSON file, which is whole after each of them.

    Args:
        path: Of the file; what it holds already is remembered.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
        self.trials = [Trial(**trial) for trial in found]

    def find(self, of: str, settings: Mapping[str, Any]) -> Trial | None:
        """Returns what was measured with these settings, if it was."""
        same = (trial for trial in self.trials if (trial.of, trial.settings) == (of, settings))
        return next(same, None)

    def add(self, trial: Trial) -> None:
        """Remembers a trial."""
        self.trials.append(trial)
        write_json(self.path, [dataclasses.asdict(trial) for trial in self.trials])


def best_trial(trials: Sequence[Trial], objective: str) -> Trial:
    """Returns the first of the best trials among those that did not fail."""
    sign = 1 if OBJECTIVES[objective] == "max" else -1
    measured = [trial for trial in trials if not trial.error]
    return max(measured, key=lambda trial: sign * trial.figures[objective])


def write_csv(path: Path, trials: Sequence[Trial]) -> None:
    """Writes one line a trial: its number, its settings, figures, seconds and error."""
    settings = list(dict.fromkeys(name for trial in trials for name in trial.settings))
    columns = ["trial", *settings, *OBJECTIVES, "seconds", "error"]
    with new_file(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        for number, trial in enumerate(trials):
            rest = {"trial": number, "seconds": round(trial.seconds, 1), "error": trial.error}
            writer.writerow({**trial.settings, **trial.figures, **rest})
