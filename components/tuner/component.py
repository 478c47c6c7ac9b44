"""Better settings, found without a look at the rows that figures are reported on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.artifact import EXAMPLES, HYPER_PARAMETERS, TRANSFORMED_EXAMPLES
from components.component import Component, Input
from components.configuration import files_of


@dataclass(frozen=True)
class Parameters:
    """What is tried; see `taxofuse tune`.

    Args:
        config: A `trainer.config.Config` as JSON, the start.
        vary: Settings and their values, such as `train.l2=0.1..10:log`; empty for the
            usual ones.
        search: `random` or `bayesian`.
        objective: Figure to be best in.
        trials: Beside the start.
        folds: Networks a trial.
    """

    config: Mapping[str, Any]
    vary: tuple[str, ...] = ()
    search: str = "random"
    objective: str = "accuracy"
    trials: int = 20
    folds: int = 3

    def __post_init__(self) -> None:
        object.__setattr__(self, "vary", tuple(self.vary))
        if self.trials < 1 or self.folds < 2:
            raise ValueError(
                "The Tuner needs at least 1 trial and 2 folds. "
                f"Received: trials={self.trials}, folds={self.folds}."
            )


def _reads(parameters: Parameters) -> list[Path]:
    return files_of(parameters.config)


COMPONENT = Component(
    name="Tuner",
    package=__package__,
    inputs={
        "examples": Input(EXAMPLES),
        "transformed_examples": Input(TRANSFORMED_EXAMPLES, optional=True),
    },
    outputs={"hyperparameters": HYPER_PARAMETERS},
    parameters=Parameters,
    reads=_reads,
)
