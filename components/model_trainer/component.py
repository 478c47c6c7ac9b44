"""From examples to a model, with what was measured on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from components.artifact import (
    EXAMPLES,
    HYPER_PARAMETERS,
    MODEL,
    MODEL_RUN,
    TRANSFORMED_EXAMPLES,
)
from components.component import Component, Input
from components.configuration import files_of


@dataclass(frozen=True)
class Parameters:
    """Training.

    Args:
        config: A `trainer.config.Config` as JSON.
        tracked_as: Name of the run for an experiment tracker; that of a folder by default.
    """

    config: Mapping[str, Any]
    tracked_as: str = ""


def _reads(parameters: Parameters) -> list[Path]:
    return files_of(parameters.config)


def _decides(parameters: Parameters) -> Parameters:
    return replace(parameters, tracked_as="")


COMPONENT = Component(
    name="ModelTrainer",
    package=__package__,
    inputs={
        "examples": Input(EXAMPLES),
        "transformed_examples": Input(TRANSFORMED_EXAMPLES, optional=True),
        "hyperparameters": Input(HYPER_PARAMETERS, optional=True),
        "base_model": Input(MODEL, optional=True),
    },
    outputs={"model": MODEL, "model_run": MODEL_RUN},
    parameters=Parameters,
    reads=_reads,
    decides=_decides,
)
