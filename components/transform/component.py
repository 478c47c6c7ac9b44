"""Rows and what frozen encoders make of them, computed once for all trainings."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.artifact import EXAMPLES, TRANSFORM_GRAPH, TRANSFORMED_EXAMPLES
from components.component import Component, Input
from components.configuration import files_of, for_transform
from trainer.config import Config


@dataclass(frozen=True)
class Parameters:
    """What will be trained.

    Args:
        config: A `trainer.config.Config` as JSON. All of it is checked before anything long
            begins; what `components.configuration.for_transform` keeps decides the outputs.
    """

    config: Mapping[str, Any]


def _decides(parameters: Parameters) -> Parameters:
    return Parameters(dataclasses.asdict(for_transform(Config.from_dict(parameters.config))))


def _reads(parameters: Parameters) -> list[Path]:
    return files_of(_decides(parameters).config)


COMPONENT = Component(
    name="Transform",
    package=__package__,
    inputs={"examples": Input(EXAMPLES)},
    outputs={"transform_graph": TRANSFORM_GRAPH, "transformed_examples": TRANSFORMED_EXAMPLES},
    parameters=Parameters,
    reads=_reads,
    decides=_decides,
)
