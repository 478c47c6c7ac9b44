"""Which part of a configuration a step depends on, and which files that names."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from trainer.artefact import MODEL_FILE, PREPROCESSING_FILE, find_export
from trainer.config import Config, ModelConfig, TrainConfig

_FILES = ("slices", "suspicious", "taxonomy")


def for_examples(config: Config) -> dict[str, Any]:
    """Returns what decides the examples, parameters of ExampleGen."""
    data = dataclasses.asdict(config.data)
    for name in ("slices", "suspicious", "wrong_labels", "taxonomy", "unlabeled"):
        del data[name]
    return {**data, "auxiliary": _auxiliary_columns(config)}


def for_transform(config: Config) -> Config:
    """Returns a configuration that keeps what decides preprocessing and frozen features."""
    train = TrainConfig(
        seed=config.train.seed,
        deterministic=config.train.deterministic,
        mixed_precision=config.train.mixed_precision,
        class_names=config.train.class_names,
    )
    data = dataclasses.replace(config.data, slices="", seed=0)
    model = ModelConfig(encoders=config.model.encoders)
    return dataclasses.replace(config, data=data, model=model, train=train)


def files_of(config: Mapping[str, Any]) -> list[Path]:
    """Returns the files beside the examples that a configuration names.

    Args:
        config: As JSON.
    """
    data: Mapping[str, Any] = config["data"]
    named = [data[name] for name in _FILES]
    if teacher := config["train"]["teacher"]:
        # Not all of its folder, where a pipeline takes notes of each run.
        named += [Path(teacher, name) for name in (MODEL_FILE, PREPROCESSING_FILE)]
        with suppress(FileNotFoundError):
            named.append(find_export(Path(teacher)))
    for encoders in config["model"]["encoders"].values():
        for options in encoders.values():
            named += [options.get(name) for name in ("adapter", "weights")]
    from components.sources.files_read import files_read  # loads pandas

    files = [Path(name) for name in named if name and Path(name).exists()]
    if data["unlabeled"] and data["unlabeled"] != data["table"]:
        files += files_read(data["unlabeled"], 0, data["columns"], data["ignore"])
    return files


def _auxiliary_columns(config: Config) -> tuple[str, ...]:
    if not config.train.objectives:
        return ()
    from trainer.auxiliary import build_objectives  # loads Keras

    objectives = build_objectives(config.train.objectives)
    return tuple(name for objective in objectives for name in objective.columns)
