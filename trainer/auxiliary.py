"""Auxiliary objectives of a configuration beside the votes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from trainer.config import Config
from trainer.model import build_votes
from trainer.objectives.objective import Objective
from trainer.preprocessing import Branch
from trainer.registry import OBJECTIVES
from trainer.sample import Sample


def build_objectives(options: Mapping[str, Mapping[str, Any]]) -> tuple[Objective, ...]:
    """Makes objectives from `train.objectives`, name to options."""
    return tuple(
        OBJECTIVES.make(name, chosen, at=f"train.objectives.{name}")
        for name, chosen in options.items()
    )


def check_objectives(
    branches: Sequence[Branch], objectives: Sequence[Objective], config: Config
) -> None:
    """Refuses objectives that do not fit, before anything is trained.

    Raises:
        ValueError: if an objective needs other branches, or if nothing that the
            votes read can learn from it.
    """
    # Of this model only the structure matters.
    votes = build_votes(branches, dict.fromkeys([b.name for b in branches], 1), 2, config.model)
    add_outputs(votes, branches, objectives)
    learns = any(branch.learns(config.train.encoder_epochs) for branch in branches)
    if objectives and not learns and not votes.get_layer("fusion").trainable_weights:
        raise ValueError(
            "train.objectives would be without effect: from frozen encoders and a fusion without "
            "weights the votes read constants, which no objective can change. Set "
            "model.fusion=gated or model.fusion=cross_attention, train an encoder, or leave out "
            f"train.objectives. Received: model.fusion={config.model.fusion}, "
            f"train.objectives={dict(config.train.objectives)}."
        )


def add_outputs(
    votes: keras.Model, branches: Sequence[Branch], objectives: Sequence[Objective]
) -> keras.Model:
    """Adds the outputs of objectives to what is trained of the votes, whose layers they share.

    Returns:
        `votes` itself where there are no objectives; else a functional model
        from the same inputs to a dict of outputs, `votes` among them.
    """
    if not objectives:
        return votes
    outputs = {"votes": votes.output}
    for objective in objectives:
        outputs.update(objective.build(votes, branches))
    return keras.Model(votes.input, outputs, name="objectives")


def add_targets(
    sample: Sample, objectives: Sequence[Objective], values: Mapping[str, np.ndarray]
) -> Sample:
    """Adds what the outputs of objectives are to answer.

    Args:
        sample: Rows, whose own answers are for the votes.
        objectives: Adapted.
        values: Cells of their columns by row of the store.
    """
    if not objectives:
        return sample
    own = {name: cells[sample.rows] for name, cells in values.items()}
    answers = {"votes": sample.targets()}
    for objective in objectives:
        answers.update(objective.targets(sample, own))
    return dataclasses.replace(sample, answers=answers)
