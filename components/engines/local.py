"""This process, one shard after the other."""

from __future__ import annotations

from collections.abc import Sequence

from components.shards import ENGINES, Engine, Job


@ENGINES.register("local")
class LocalEngine(Engine):
    """Needs nothing installed and nothing started."""

    def __init__(self, told: str) -> None:
        if told:
            raise ValueError(f"The engine `local` is told nothing. Received: {told!r}.")

    def run(self, job: Job, waiting: Sequence[int]) -> None:
        for index in waiting:
            job.do(index)
