"""Apache Beam: in this process, on a Dask cluster, or on any other of its runners.

    beam                            in this process
    beam:dask:tcp://HOST:8786       a `dask.distributed` cluster, by its scheduler
    beam:--runner=FlinkRunner ...   Beam's own flags; untried

Workers need the project, and the files of the job under the same paths. Only `Create` and `Map`
are used: Beam's own readers and writers, side inputs and metrics fail on Dask.
"""

from __future__ import annotations

import functools
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from components.shards import ENGINES, Engine, Job, do_shard

_DASK = "dask:"


@ENGINES.register("beam")
class BeamEngine(Engine):
    """Shards as elements of a pipeline."""

    def __init__(self, told: str) -> None:
        if told and not told.startswith((_DASK, "--")):
            raise ValueError(
                "The engine `beam` is told nothing, dask:ADDRESS such as dask:tcp://host:8786, or "
                f"Beam's flags, beginning with --. Received: {told!r}."
            )
        self._told = told

    def run(self, job: Job, waiting: Sequence[int]) -> None:
        try:
            import apache_beam as beam
        except ImportError as error:
            raise ValueError(
                "The engine `beam` needs Apache Beam. Install it with `pip install "
                "taxofuse[beam]`, or taxofuse[dask] for a Dask cluster, or use the engine `local`."
            ) from error
        if not waiting:
            return
        runner, flags = self._runner()
        options = beam.options.pipeline_options.PipelineOptions(flags)
        pipeline = beam.Pipeline(runner=runner, options=options)
        work = functools.partial(
            _do_element, function=job.function, shared=job.shared, notes=str(job.notes.absolute())
        )
        elements = [(index, dict(job.specs[index])) for index in waiting]
        # Without Reshuffle, runners that fuse steps would do all shards on one worker.
        _ = pipeline | beam.Create(elements, reshuffle=False) | beam.Reshuffle() | beam.Map(work)
        result = pipeline.run()
        try:
            result.wait_until_finish()
        finally:
            if client := getattr(result, "client", None):
                client.close()

    def _runner(self) -> tuple[Any, list[str]]:
        if not self._told:
            from apache_beam.runners.portability.fn_api_runner import FnApiRunner

            return FnApiRunner(), []
        if not self._told.startswith(_DASK):
            return None, shlex.split(self._told)
        try:
            import dask.bag  # noqa: F401
            import distributed  # noqa: F401
            from apache_beam.runners.dask.dask_runner import DaskRunner
        except ImportError as error:
            raise ValueError(
                "The engine `beam:dask:...` needs Dask. Install it with `pip install "
                "taxofuse[dask]`."
            ) from error
        # A shard a task, so that a worker that is lost takes no finished ones with it.
        address = self._told.removeprefix(_DASK)
        return DaskRunner(), [f"--dask_client_address={address}", "--dask_partition_size=1"]


def _do_element(
    element: tuple[int, Mapping[str, Any]], function: str, shared: Mapping[str, Any], notes: str
) -> None:
    index, spec = element
    do_shard(function, index, spec, shared, Path(notes))
