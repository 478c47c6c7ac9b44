"""Fits preprocessing to the training rows; writes its graph, and features of all rows."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from components.catalogue import load_examples
from components.configuration import for_transform
from components.links import link_tree
from components.shards import is_local
from components.transform.component import Parameters
from components.transform.embed_shards import embed_in_shards
from trainer.check_settings import check_settings
from trainer.config import Config
from trainer.files import new_folder, write_json
from trainer.fitting import build_encoders
from trainer.preprocessing import Branch, preprocess, raw_specs
from trainer.run import Run
from trainer.same_saved_model import settle_saved_model

GRAPH, STATE = "transform_fn", "preprocessing.json"


def execute(
    inputs: Mapping[str, Path],
    outputs: Mapping[str, Path],
    parameters: Parameters,
    scratch: Path,
) -> None:
    """Does what the first training would do before it begins."""
    asked = Config.from_dict(parameters.config)
    config = for_transform(asked)
    catalogue = load_examples(inputs["examples"], asked.data)
    check_settings(asked, catalogue, lambda line: None)
    run = Run(config, scratch, quiet=True)
    run.prepare(catalogue=catalogue)
    if not is_local():  # where the encoders, loaded here, need not be loaded again
        run.store.elsewhere = functools.partial(embed_in_shards, config, catalogue.inputs, scratch)
    rows = np.union1d(run.sample("train").rows, run.rows.unlabeled)
    branches, encoders = build_encoders(run.catalogue.inputs, config, run.store, rows)
    run.store.arrays(branches, encoders)
    write_graph(outputs["transform_graph"], branches)
    link_tree(scratch / "cache", outputs["transformed_examples"])


def write_graph(folder: Path, branches: Sequence[Branch]) -> None:
    """Writes preprocessing as a SavedModel, and what it has learned as JSON.

    Args:
        folder: Gets `transform_fn/` and `preprocessing.json`.
        branches: Adapted. The signature `transform` takes raw values `(batch,)` by input
            name, and returns what `trainer.preprocessing.preprocess` does.
    """
    specs = {spec.name: spec for branch in branches for spec in [branch.input]}
    module = tf.Module(name="transform")
    module.resources = [
        resource for branch in branches for resource in branch.encoder.get_resources()
    ]
    module.transform = tf.function(
        lambda raw: preprocess(branches, raw),
        input_signature=[raw_specs(list(specs.values()))],
        autograph=False,
    )
    with new_folder(folder / GRAPH) as temporary:
        tf.saved_model.save(
            module,
            str(temporary),
            signatures={"transform": module.transform.get_concrete_function()},
        )
        settle_saved_model(temporary)
    state = {
        branch.name: {
            "input": dataclasses.asdict(branch.input),
            "encoder": branch.encoder_name,
            "state": branch.encoder.get_state(),
        }
        for branch in branches
    }
    write_json(folder / STATE, state)
