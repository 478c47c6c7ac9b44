"""What a frozen pretrained encoder makes of products, shard by shard."""

from __future__ import annotations

import dataclasses
import functools
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from components.shards import run_shards
from trainer.config import Config
from trainer.embed import Batches, Graph, embed_records, trace
from trainer.fitting import settle_process
from trainer.inputs import InputSpec
from trainer.preprocessing import Branch, build_branches
from trainer.records import count_shards
from trainer.weights.checksum import digest_weights


def embed_in_shards(
    config: Config,
    inputs: Sequence[InputSpec],
    scratch: Path,
    branch: Branch,
    digest: str,
    source: Path,
) -> Batches:
    """Takes the place of `FeatureStore.elsewhere`, once the first three arguments are given.

    Args:
        config: Configuration.
        inputs: Of the model.
        scratch: Folder; what was computed there is not computed again.
        branch: What computes.
        digest: Of its weights.
        source: Folder of records of raw values.
    """
    specs = [{"source": str(source), "shard": index} for index in range(count_shards(source))]
    shared = {
        "config": dataclasses.asdict(config),
        "inputs": [dataclasses.asdict(spec) for spec in inputs],
        "branch": branch.name,
        "digest": digest,
    }
    notes = scratch / "embeddings" / f"{branch.name}-{source.name}"
    for content in run_shards(f"{branch.name} embeddings", embed_shard, specs, shared, notes):
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            yield dict(arrays)


def embed_shard(spec: dict[str, Any], shared: dict[str, Any]) -> bytes:
    """Embeds the products of one file of records.

    Args:
        spec: `source`, folder of records; `shard`, which file.
        shared: `config`, `inputs`, `branch` and `digest`; see `embed_in_shards`.

    Returns:
        Arrays by name, as an NPZ file.

    Raises:
        ValueError: if the weights on this machine are others.
    """
    loaded = _load(json.dumps(shared, sort_keys=True))
    batches = list(embed_records(Path(spec["source"]), *loaded, shard=spec["shard"]))
    arrays: dict[str, Any] = {
        name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]
    }
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


@functools.lru_cache(maxsize=1)
def _load(shared: str) -> tuple[Branch, Graph, Graph]:
    """Returns branch and graphs; the same to all shards that a process does."""
    told = json.loads(shared)
    config = Config.from_dict(told["config"])
    inputs = [
        InputSpec(spec["name"], spec["kind"], tuple(spec["columns"])) for spec in told["inputs"]
    ]
    settle_process(config)
    branches = {branch.name: branch for branch in build_branches(inputs, config.model.encoders)}
    branch = branches[told["branch"]]
    encoder = branch.encoder.build()
    if digest_weights(encoder) != told["digest"]:
        raise ValueError(
            f"The weights of {branch.name} are not the same on all machines. Give each the same "
            "files."
        )
    return branch, *trace(branch, encoder)
