"""What the artifact of a push says of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from components.pusher.versions import Versions, find_sizes
from trainer.artefact import CARD_FILE
from trainer.files import write_json

FILE = "pushed.json"
NOT_PUSHED = "not_pushed.json"


@dataclass(frozen=True)
class Pushed:
    """A version that was pushed.

    Args:
        version: int.
        model: Fingerprint of what is in the version's folder.
        files: Bytes by name of what is in there.
        run: As the card of the model says; empty of one without a card.
        restored: Number of the version that a roll-back took it from; 0 of a new model.
        instead_of: Number of the version that was rolled back.
    """

    version: int
    model: str
    files: Mapping[str, int]
    run: str = ""
    restored: int = 0
    instead_of: int = 0

    @property
    def properties(self) -> dict[str, Any]:
        """Of the artifact: what is neither 0 nor empty, without the files."""
        return {name: value for name, value in asdict(self).items() if value and name != "files"}

    def is_in(self, folder: Path) -> bool:
        """Says whether a folder seems to hold it, by names and sizes: quick, not certain."""
        return find_sizes(folder) == self.files

    def write(self, folder: Path) -> None:
        """Writes `pushed.json`."""
        write_json(folder / FILE, asdict(self))


def read_run(model: Path) -> str:
    """Returns what identifies the training of an exported model, empty where it has no card."""
    path = model / "assets.extra" / CARD_FILE
    return json.loads(path.read_text(encoding="utf-8"))["run"] if path.is_file() else ""


def describe_other(artifact: Path, versions: Versions) -> str:
    """Says, for people, that another model is live than was pushed; empty where none is.

    Args:
        artifact: Folder of a pushed model.
        versions: Where it was pushed to.
    """
    pushed, live = read_pushed(artifact), versions.live()
    if pushed is None or live in (0, pushed.version) or pushed.model == versions.content(live):
        return ""
    return (
        f"The model of this run was pushed before, as version {pushed.version}, and replaced: "
        f"version {live} is live in {versions.folder}. `taxofuse pipeline rollback --to "
        f"{pushed.version}` makes it live again."
    )


def read_pushed(folder: Path) -> Pushed | None:
    """Reads what was pushed, `None` where nothing was."""
    path = folder / FILE
    return Pushed(**json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None
