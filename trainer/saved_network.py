"""The trained network as files of the workdir, beside the SavedModel."""

from __future__ import annotations

import dataclasses
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import keras

from trainer.artefact import MODEL_FILE, PREPROCESSING_FILE, ModelCard
from trainer.files import new_file, write_json
from trainer.inputs import InputSpec
from trainer.preprocessing import Branch
from trainer.registry import ENCODERS, FUSIONS, TUNING
from trainer.same_bytes import settle_keras_file


def save_network(
    workdir: Path, scorer: keras.Model, branches: Sequence[Branch], card: ModelCard
) -> None:
    """Writes the Keras model, and what its preprocessing has learned."""
    with new_file(workdir / MODEL_FILE) as temporary:
        scorer.save(temporary)
        settle_keras_file(temporary)
    state = {
        "branches": [
            {
                "name": branch.name,
                "input": dataclasses.asdict(branch.input),
                "encoder": branch.encoder_name,
                "options": dict(branch.options),
                "state": branch.encoder.get_state(),
            }
            for branch in branches
        ],
        "card": card.to_dict(),
    }
    write_json(workdir / PREPROCESSING_FILE, state)


def load_network(workdir: Path) -> tuple[keras.Model, dict[str, Any]]:
    """Loads the Keras model of a workdir and the state of its preprocessing.

    Returns:
        `(scorer, state)`: from preprocessed tensors to probabilities; and
        what `preprocessing.json` holds.

    Raises:
        FileNotFoundError: if the workdir has no network; an export alone has none.
        ValueError: for files that are broken.
    """
    # Registers the layers that the file names.
    import trainer.model  # noqa: F401

    ENCODERS.names(), FUSIONS.names(), TUNING.names()

    def read(name: str, load: Callable[[Path], Any]) -> Any:
        path = workdir / name
        if not path.is_file():
            raise FileNotFoundError(
                f"No {name} in {workdir.absolute()}. Give the workdir of `taxofuse run` or "
                "`taxofuse train`: what is exported for servers cannot be changed any more."
            )
        try:
            return load(path)
        except (ValueError, OSError, KeyError, zipfile.BadZipFile) as error:
            raise ValueError(f"{path.absolute()} cannot be read: train again. {error}") from error

    state = read(PREPROCESSING_FILE, lambda path: json.loads(path.read_text(encoding="utf-8")))
    return read(MODEL_FILE, lambda path: keras.saving.load_model(path, compile=False)), state


def load_branches(state: Mapping[str, Any], inputs: Sequence[InputSpec]) -> list[Branch]:
    """Makes the preprocessing that `preprocessing.json` describes.

    Args:
        state: What the file holds.
        inputs: Of the model.
    """
    specs = {spec.name: spec for spec in inputs}
    branches = []
    for saved in state["branches"]:
        # The weights are in the model: an adapter, or a method of tuning, would look for its own.
        options = {
            name: of
            for name, of in saved["options"].items()
            if name not in ("adapter", "tuning", "tuning_options")
        }
        encoder = ENCODERS.make(saved["encoder"], options, name=saved["name"])
        encoder.set_state(saved["state"])
        spec = specs[saved["input"]["name"]]
        branches.append(Branch(saved["name"], spec, saved["encoder"], options, encoder))
    return branches
