"""What an exported model says of itself: read by prediction, serving and people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from trainer.data.rules import Rule
from trainer.inputs import MAX_CHARACTERS, MAX_PIXELS, InputSpec, Limits

MODEL_FILE, PREPROCESSING_FILE = "model.keras", "preprocessing.json"
"""In the workdir, beside the export; see `trainer.saved_network`."""
CARD_FILE = "taxofuse.json"
"""Beside the SavedModel, in `assets.extra/`, which TF Serving leaves alone."""


@dataclass(frozen=True)
class ModelCard:
    """How to ask an exported model, and where it is from.

    Args:
        inputs: Raw inputs of the signature and the columns they are read from.
        class_names: Label paths, joined, in the order of `scores`.
        level_names: Names of the levels, from the top down.
        label: Label columns of the table that it was trained on.
        label_separator: What split one label column into levels, if anything.
        run: Hash of all that decided the training.
        trained_on: Rows that the weights have seen, by split.
        rules: What the graph excludes classes by.
        max_batch: int. The graph refuses a larger batch.
        max_picture_bytes: int. A larger picture file counts as absent.
        max_picture_pixels: int. So does a picture of more pixels.
        max_text_characters: int. The rest of a longer text is not read.
    """

    inputs: tuple[InputSpec, ...]
    class_names: tuple[str, ...]
    level_names: tuple[str, ...]
    label: tuple[str, ...]
    label_separator: str
    run: str
    trained_on: dict[str, int]
    rules: tuple[Rule, ...] = ()
    max_batch: int = 64
    max_picture_bytes: int = 20 * 2**20
    max_picture_pixels: int = MAX_PIXELS
    max_text_characters: int = MAX_CHARACTERS

    @property
    def limits(self) -> Limits:
        """How much of a value is read."""
        return Limits(self.max_picture_bytes, self.max_picture_pixels, self.max_text_characters)

    def to_dict(self) -> dict[str, Any]:
        """Returns what `CARD_FILE` holds."""
        return asdict(self)

    @classmethod
    def load(cls, folder: Path) -> ModelCard:
        """Reads the card of a version folder."""
        text = (folder / "assets.extra" / CARD_FILE).read_text(encoding="utf-8")
        return cls.from_dict(json.loads(text))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ModelCard:
        """Builds a card from what `to_dict` gave, as JSON holds it.

        Fields that are not known are passed over: a server may be newer than
        the program that asks it.
        """
        known = {field.name for field in fields(cls)}
        values = {name: value for name, value in values.items() if name in known}
        values["inputs"] = tuple(
            InputSpec(spec["name"], spec["kind"], tuple(spec["columns"]))
            for spec in values["inputs"]
        )
        values["rules"] = tuple(map(Rule.from_dict, values.get("rules", ())))
        for name in ("class_names", "level_names", "label"):
            values[name] = tuple(values[name])
        return cls(**values)


def find_export(path: Path) -> Path:
    """Finds the newest exported version.

    Args:
        path: A workdir of `run` or `train`, a folder of versions, or a version.

    Raises:
        FileNotFoundError: if there is none; says what was looked for.
    """
    for folder in (path, path / "export"):
        if (folder / "saved_model.pb").is_file():
            return folder
        versions = [
            child
            for child in (folder.iterdir() if folder.is_dir() else ())
            if child.name.isdigit() and (child / "saved_model.pb").is_file()
        ]
        if versions:
            return max(versions, key=lambda child: int(child.name))
    raise FileNotFoundError(
        f"No exported model in {path.absolute()}: looked for saved_model.pb there, in numbered "
        "folders, and under export/. Give the workdir of `taxofuse run` or a version folder."
    )
