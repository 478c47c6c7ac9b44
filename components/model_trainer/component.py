"""From examples to a model, with what was measured on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
    """

    config: Mapping[str, Any]


def _reads(parameters: Parameters) -> list[Path]:
    return files_of(parameters.config)


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
)
