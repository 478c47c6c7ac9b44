"""What `TF_CONFIG` says of the workers that train together."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Cluster:
    """The workers, and which of them this process is.

    Args:
        size: int. Workers in all.
        index: int. Of this process; 0 is the chief.
    """

    size: int = 1
    index: int = 0


def read_cluster() -> Cluster:
    """Reads the environment; one worker where it says nothing.

    Raises:
        ValueError: if it cannot be understood.
    """
    told = os.environ.get("TF_CONFIG")
    if not told:
        return Cluster()
    try:
        config = json.loads(told)
        chiefs, workers = (config["cluster"].get(name, []) for name in ("chief", "worker"))
        task = config["task"]
        index = int(task["index"]) + (len(chiefs) if task["type"] == "worker" else 0)
        cluster = Cluster(len(chiefs) + len(workers), index)
        if not 0 <= cluster.index < cluster.size:
            raise ValueError("the index is none of a worker")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"TF_CONFIG cannot be understood ({error}). Expected JSON such as "
            '{"cluster": {"worker": ["host:port", ...]}, "task": {"type": "worker", "index": 0}}. '
            f"Received: {told[:200]}"
        ) from error
    return cluster
