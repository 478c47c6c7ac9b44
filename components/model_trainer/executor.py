"""Trains as `taxofuse run` does; an interrupted training goes on from its last epoch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from components.catalogue import load_examples
from components.hyperparameters import read_overrides
from components.links import link_tree
from components.model_trainer.component import Parameters
from trainer.config import Config
from trainer.overrides import apply_overrides
from trainer.reporting import evaluate_run, load_metrics
from trainer.run import MEASURED, Run

_MODEL = ("config.json", "model.keras", "preprocessing.json", "adapters", "export", MEASURED)
_RUN = ("metrics.json", "report.html", "logs")


def execute(
    inputs: Mapping[str, Path | None],
    outputs: Mapping[str, Path],
    parameters: Parameters,
    scratch: Path,
) -> dict[str, dict[str, Any]]:
    """Trains, measures on held-out rows, exports.

    The model has `export/`, and beside it `measured/`, what the figures are of, where the
    model to be used has learned from the held-out rows too.
    """
    examples = inputs["examples"]
    assert examples is not None
    config = _configure(parameters, inputs["hyperparameters"])
    if base := inputs["base_model"]:
        config = start_from(config, base)
    if transformed := inputs["transformed_examples"]:
        link_tree(transformed, scratch / "cache")
    run = Run(config, scratch, name=parameters.tracked_as)
    run.prepare(catalogue=load_examples(examples, config.data))
    if load_metrics(run) is None:
        run.report_split  # noqa: B018  refuses now rather than after the training
        evaluate_run(run, run.train())
        run.export_measured()
        run.finish()
    for target, names in (("model", _MODEL), ("model_run", _RUN)):
        for name in names:
            if (scratch / name).exists():
                link_tree(scratch / name, outputs[target] / name)
    metrics = json.loads((outputs["model_run"] / "metrics.json").read_text(encoding="utf-8"))
    figures = {name: metrics[name] for name in ("accuracy", "num_examples")}
    return {"model": {**figures, "run": run.key}}


def _configure(parameters: Parameters, hyperparameters: Path | None) -> Config:
    config = Config.from_dict(parameters.config)
    return apply_overrides(config, read_overrides(hyperparameters)) if hyperparameters else config


def start_from(config: Config, base: Path) -> Config:
    """Lets encoders that are trained begin with what another model's encoders have learned.

    Votes are learned anew: on embeddings they reach the same optimum from anywhere.

    Args:
        config: Of the training.
        base: Model with `adapters/`, where it has trained encoders.
    """
    encoders = {kind: dict(of_kind) for kind, of_kind in config.model.encoders.items()}
    for of_kind in encoders.values():
        for name, options in of_kind.items():
            files = sorted((base / "adapters").glob(f"*_{name}.safetensors"))
            # Two inputs that one encoder reads have learned differently: neither speaks for both.
            if len(files) == 1 and not options.get("adapter"):
                of_kind[name] = {**options, "adapter": str(files[0])}
    return replace(config, model=replace(config.model, encoders=encoders))
