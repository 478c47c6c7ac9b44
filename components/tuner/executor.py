"""Searches, or goes on searching, for better settings."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from components.catalogue import load_examples
from components.hyperparameters import write_overrides
from components.links import link_tree
from components.tuner.component import Parameters
from trainer.config import Config
from trainer.run import Run
from trainer.search.space import DEFAULT_SPACE, parse_space
from trainer.search.trials import best_trial
from trainer.search.tune import Plan, as_overrides, tune

_PAGE = "tuning.html"


def execute(
    inputs: Mapping[str, Path | None],
    outputs: Mapping[str, Path],
    parameters: Parameters,
    scratch: Path,
) -> dict[str, dict[str, Any]]:
    """Writes the best settings, and a page of all trials."""
    examples = inputs["examples"]
    assert examples is not None
    config = Config.from_dict(parameters.config)
    if transformed := inputs["transformed_examples"]:
        link_tree(transformed, scratch / "cache")
    run = Run(config, scratch)
    run.prepare(catalogue=load_examples(examples, config.data))
    space = parse_space(list(parameters.vary) or DEFAULT_SPACE, config)
    asked = (parameters.search, parameters.objective, parameters.trials, parameters.folds)
    trials = tune(run, Plan(space, *asked, math.inf))
    best = best_trial(trials, parameters.objective)
    folder = outputs["hyperparameters"]
    write_overrides(folder, [] if best is trials[0] else as_overrides(best))
    link_tree(scratch / _PAGE, folder / _PAGE)
    before, after = (trial.figures[parameters.objective] for trial in (trials[0], best))
    return {"hyperparameters": {"objective": parameters.objective, "from": before, "to": after}}
