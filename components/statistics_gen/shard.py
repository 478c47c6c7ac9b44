"""What is done of each shard; see `components.shards`."""

from __future__ import annotations

import dataclasses
import pickle
from pathlib import Path
from typing import Any

from components.examples import ExamplesInfo
from components.statistics.split_summary import SplitSummary, summarize_shard
from trainer.data.columns import Column


def share(info: ExamplesInfo) -> dict[str, Any]:
    """Returns what is the same for all shards of examples."""
    columns = [dataclasses.asdict(column) for column in info.columns]
    return {"columns": columns, "label": list(info.label)}


def summarize(spec: dict[str, Any], shared: dict[str, Any]) -> bytes:
    """Returns the summary of the shard at `path`, pickled."""
    columns = [Column(**column) for column in shared["columns"]]
    return pickle.dumps(summarize_shard(Path(spec["path"]), columns, shared["label"]))


def load_summary(returned: bytes) -> SplitSummary:
    """Returns what `summarize` has pickled."""
    summary: SplitSummary = pickle.loads(returned)
    return summary
