"""Which model gave the answers of a file: a small file beside it."""

from __future__ import annotations

import json
from pathlib import Path

from trainer.files import write_json

SUFFIX = ".model.json"


def write_provenance(answers: Path, run: str, asked: str) -> Path:
    """Writes `<answers>.model.json`.

    Args:
        answers: File of answers.
        run: Of the model's card: what identifies its training.
        asked: str. For people: the folder or the server.

    Returns:
        Its path.
    """
    path = answers.with_name(answers.name + SUFFIX)
    write_json(path, {"run": run, "asked": asked})
    return path


def read_run(answers: Path) -> str:
    """Returns the `run` of the model that gave the answers of a file.

    Raises:
        ValueError: if nothing stands beside the file.
    """
    path = answers.with_name(answers.name + SUFFIX)
    if not path.is_file():
        raise ValueError(
            f"Which model answered {answers} is not known: {path.name}, which `taxofuse predict` "
            "writes beside its answers, is missing. Keep the two together, or give the model."
        )
    return json.loads(path.read_text(encoding="utf-8"))["run"]
