"""Refuses settings that do not fit the products, before anything long begins."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from trainer.augment import Augmenter
from trainer.auxiliary import build_objectives, check_objectives
from trainer.catalogue import Catalogue
from trainer.config import Config
from trainer.ensemble import check_ensemble
from trainer.mixing import check_mixing
from trainer.model import find_reaches
from trainer.predictor import Predictor
from trainer.preprocessing import build_branches
from trainer.regularized_model import check_regularization
from trainer.slices import read_slices
from trainer.stage import build_loss
from trainer.teacher import load_teacher


def check_settings(config: Config, catalogue: Catalogue, say: Callable[[str], None]) -> None:
    """Refuses what does not fit.

    Args:
        config: Configuration.
        catalogue: Products.
        say: Called with lines for people.

    Raises:
        ValueError, FileNotFoundError: naming the option.
    """
    branches = build_branches(catalogue.inputs, config.model.encoders)
    find_reaches(branches, config.model)
    check_mixing(branches, config)
    check_regularization(branches, config.train)
    build_loss(config.train)
    check_ensemble(branches, config)
    if config.train.teacher:
        _check_teacher(Path(config.train.teacher), catalogue, say)
    objectives = build_objectives(config.train.objectives)
    for objective in objectives:
        objective.adapt(catalogue.auxiliary)
    check_objectives(branches, objectives, config)
    if config.augment.views:
        Augmenter(catalogue.inputs, config.augment.operations)
    if config.data.slices:
        read_slices(config.data.slices, catalogue.ids)


def _check_teacher(workdir: Path, catalogue: Catalogue, say: Callable[[str], None]) -> None:
    """Refuses a teacher that does not fit, and says what it knows already."""
    load_teacher(workdir, catalogue.inputs, catalogue.class_names)
    held_out = np.flatnonzero(catalogue.splits != "train")
    seen = Predictor(workdir).was_trained_on(catalogue.take(held_out)).sum()
    if seen:
        say(
            f"The teacher has learned from {seen} of the {len(held_out)} rows held out here, "
            "so figures on them flatter; one of the same split and train.refit=never has not"
        )
