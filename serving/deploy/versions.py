"""Which versions of an exported model are served, and behind which label."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from serving.deploy.settings import Batching, Model
from trainer.artefact import ModelCard, find_export
from trainer.inputs import InputSpec


@dataclass(frozen=True)
class Served:
    """Versions of one model.

    Args:
        folders: Version number to its folder, rising.
        labels: Label to version number.
        max_batch: Products in a batch that all of them take.
        max_request: Products in a request that one of them takes.
        inputs: What requests are made of.
        runs: Version number to the hash of the run that it is from.
    """

    folders: dict[int, Path]
    labels: dict[str, int]
    max_batch: int
    max_request: int
    inputs: tuple[InputSpec, ...]
    runs: dict[int, str]

    @property
    def name(self) -> str:
        """What tells these models from others, for the tag of an image: `3-1f0c9a2b`.

        Every run counts its versions from 1, and a cluster keeps the image
        that it has under a tag.
        """
        return "-canary".join(
            f"{version}-{self.runs[version][:8]}" for version in self.labels.values()
        )


def find_served(path: Path, model: Model) -> Served:
    """Finds the versions behind `stable` and `canary`.

    Args:
        path: Workdir, folder of versions or one version.
        model: Says which versions.

    Raises:
        FileNotFoundError: if there is no exported model.
        ValueError: if a version is not there, or both labels name the same.
    """
    newest = find_export(path)
    # A folder with another name holds one version, which is called 1.
    known = {1: newest} if not newest.name.isdigit() else _versions(newest.parent)
    labels = {"stable": model.stable or (int(newest.name) if newest.name.isdigit() else 1)}
    if model.canary:
        labels["canary"] = model.canary
    for label, version in labels.items():
        if version not in known:
            raise ValueError(
                f"model.{label} must be a version that was exported, one of {sorted(known)}. "
                f"Received: {version}. They are in {newest.parent.absolute()}."
            )
    if model.canary and labels["canary"] == labels["stable"]:
        other = [version for version in sorted(known) if version != labels["stable"]]
        raise ValueError(
            f"model.canary must differ from model.stable, which is {labels['stable']}"
            f"{'' if model.stable else ' (the newest; set model.stable to an older one)'}. "
            f"Other versions: {other}. Received: {model.canary}."
        )
    folders = {version: known[version] for version in sorted(labels.values())}
    cards = {version: ModelCard.load(folder) for version, folder in folders.items()}
    runs = {version: card.run for version, card in cards.items()}
    limits = [card.max_batch for card in cards.values()]
    inputs = cards[labels["stable"]].inputs
    return Served(folders, labels, min(limits), max(limits), inputs, runs)


def choose_max_batch(batching: Batching, served: Served) -> int:
    """Returns the largest batch that is computed at once.

    Raises:
        ValueError: if more is asked for than the model takes.
    """
    if batching.max_execution_batch_size > served.max_batch:
        raise ValueError(
            f"batching.max_execution_batch_size must be at most {served.max_batch}, the largest "
            f"batch that the model was exported for. Received: {batching.max_execution_batch_size}."
        )
    return batching.max_execution_batch_size or served.max_batch


def list_batch_sizes(max_batch: int) -> list[int]:
    """Returns the sizes that batches are filled up to: powers of two, and the largest.

    They are those of the warm-up requests, so that no size is computed for
    the first time while somebody waits.
    """
    sizes = [2**power for power in range(max_batch.bit_length()) if 2**power < max_batch]
    return [*sizes, max_batch]


def _versions(folder: Path) -> dict[int, Path]:
    return {
        int(child.name): child
        for child in folder.iterdir()
        if child.name.isdigit() and (child / "saved_model.pb").is_file()
    }
