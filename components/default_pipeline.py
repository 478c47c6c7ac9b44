"""The pipeline of `taxofuse run`: from a table to a pushed model."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from components.configuration import for_examples
from components.pipeline import Behind, Latest, Node, Output, Pipeline, make_node
from trainer.config import Config
from trainer.registry import unknown


@dataclass(frozen=True)
class Span:
    """A delivery of data and those before it; see ExampleGen's parameters of these names."""

    span: int
    earlier: tuple[int, ...] = ()
    rehearse: float = 0.0


def build_default_pipeline(
    config: Config,
    destination: Path,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    *,
    span: Span | None = None,
    tune: bool = False,
    quantize: bool = False,
) -> Pipeline:
    """Returns the steps from the table of a configuration to versions in a folder.

    Args:
        config: Configuration; its table is read.
        destination: Folder of versions, which servers watch.
        options: Parameters by step.
        span: Which of several deliveries of data is new. Its statistics are compared with
            those that the model in use has learned from, the training starts from that
            model, and the candidate is measured on that model's held-out rows, too.
        tune: Search for better settings first.
        quantize: Make a model for devices, too.
    """
    asked = options or {}

    def node(component: str, **given: Any) -> Node:
        return make_node(component, **{**given, **asked.get(component, {})})

    examples = Output("ExampleGen", "examples")
    statistics = Output("StatisticsGen", "statistics")
    model = Output("ModelTrainer", "model")
    in_use = partial(Latest, "Pusher", "pushed_model", "model")
    data, before, start, old_rows = for_examples(config), {}, {}, {}
    if span is not None:
        data |= dataclasses.asdict(span)
        before = {"baseline": Behind(in_use(examples, "examples"), "examples", statistics)}
        start = {"base_model": in_use(examples, "examples")}
        old_rows = {"earlier_examples": Behind(in_use(examples), "examples")}
    learning = {
        "examples": examples,
        "transformed_examples": Output("Transform", "transformed_examples"),
        "config": dataclasses.asdict(config),
    }
    found = {"hyperparameters": Output("Tuner", "hyperparameters")} if tune else {}
    nodes = [
        node("ExampleGen", **data),
        node("StatisticsGen", examples=examples),
        node("SchemaGen", statistics=statistics),
        node(
            "ExampleValidator",
            statistics=statistics,
            schema=Output("SchemaGen", "schema"),
            **before,
        ),
        node("Transform", examples=examples, config=learning["config"]),
        node("ModelTrainer", **learning, **found, **start, tracked_as=destination.parent.name),
        node("Evaluator", examples=examples, model=model, baseline=in_use(model), **old_rows),
        node("InfraValidator", examples=examples, model=model),
        node(
            "Pusher",
            model=model,
            model_blessing=Output("Evaluator", "blessing"),
            infra_blessing=Output("InfraValidator", "blessing"),
            destination=str(destination),
        ),
    ]
    if tune:
        nodes.append(node("Tuner", **learning))
    if quantize:
        nodes.append(node("ModelQuantizer", examples=examples, model=model))
    names = [one.name for one in nodes]
    for name in asked:
        if name not in names:
            raise ValueError(unknown("step of the pipeline", name, names))
    return Pipeline("taxofuse", nodes)
