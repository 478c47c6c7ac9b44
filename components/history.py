"""What became of the runs of a pipeline, and of their steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from components.metadata import Context, Execution, Metadata, State

DONE, CACHED, FAILED = "done", "cached", "failed"
RUNNING, INTERRUPTED = "running", "interrupted"
_WORST_FIRST = (RUNNING, FAILED, INTERRUPTED)


@dataclass(frozen=True)
class OutputRecord:
    """An artifact.

    Args:
        type: str.
        uri: The folder.
        bytes: Of its files; `None` where it was removed.
        properties: Small facts.
    """

    type: str
    uri: Path
    bytes: int | None
    properties: Mapping[str, Any]


@dataclass(frozen=True)
class StepRecord:
    """A step of a run.

    Args:
        node: str. Its name.
        execution: Id.
        outcome: `done`, `cached`, `failed`, `running` or `interrupted`.
        seconds: That it took; `None` while it runs. Of a cached one, what it took once.
        error: Why it failed.
        outputs: By name.
    """

    node: str
    execution: int
    outcome: str
    seconds: float | None
    error: str
    outputs: Mapping[str, OutputRecord]


@dataclass(frozen=True)
class RunRecord:
    """A run.

    Args:
        id: int.
        pipeline: str.
        started: Seconds since 1970.
        seconds: Until its last step ended; `None` while one runs.
        properties: Such as the span.
        steps: In an order in which they can run. Those that did not begin are not among them.
    """

    id: int
    pipeline: str
    started: float
    seconds: float | None
    properties: Mapping[str, Any]
    steps: tuple[StepRecord, ...]

    @property
    def outcome(self) -> str:
        """`done`, or the worst that became of a step."""
        found = {step.outcome for step in self.steps}
        return next((outcome for outcome in _WORST_FIRST if outcome in found), DONE)

    @property
    def counts(self) -> dict[str, int]:
        """Steps by outcome."""
        return dict(Counter(step.outcome for step in self.steps))


def read_runs(metadata: Metadata, last: int, at_work: bool) -> list[RunRecord]:
    """Returns the last runs, the newest last.

    Args:
        metadata: Of the pipeline.
        last: int. How many.
        at_work: Whether a runner is: what seems to run was else interrupted.
    """
    return [_read_run(metadata, run, at_work) for run in metadata.runs()[-last:]]


def _read_run(metadata: Metadata, run: Context, at_work: bool) -> RunRecord:
    found = _in_order(metadata, metadata.executions_of(run.id))
    steps = tuple(_read_step(metadata, of, cached, at_work) for of, cached in found)
    own = [of for of, cached in found if not cached]
    ended = [of.ended for of in own if of.ended is not None]
    seconds = max(ended) - run.created if ended else 0.0
    if any(step.outcome == RUNNING for step in steps):
        return RunRecord(run.id, run.name, run.created, None, run.properties, steps)
    return RunRecord(run.id, run.name, run.created, seconds, run.properties, steps)


def _in_order(
    metadata: Metadata, executions: list[tuple[Execution, bool]]
) -> list[tuple[Execution, bool]]:
    by_id = {execution.id: (execution, cached) for execution, cached in executions}
    sorter: TopologicalSorter[int] = TopologicalSorter()
    for number in by_id:
        makers = (metadata.maker(read.id) for read in metadata.inputs(number).values())
        sorter.add(number, *(of.id for of in makers if of and of.id in by_id))
    return [by_id[number] for number in sorter.static_order()]


def _read_step(metadata: Metadata, execution: Execution, cached: bool, at_work: bool) -> StepRecord:
    outcome = {
        State.RUNNING: RUNNING if at_work else INTERRUPTED,
        State.COMPLETE: CACHED if cached else DONE,
        State.FAILED: FAILED,
        State.CANCELED: INTERRUPTED,
    }[execution.state]
    outputs = {
        name: OutputRecord(made.type, made.uri, _size(made.uri), made.properties)
        for name, made in metadata.outputs(execution.id, live=False).items()
    }
    seconds = None if execution.ended is None else execution.ended - execution.started
    return StepRecord(execution.node, execution.id, outcome, seconds, execution.error, outputs)


def _size(folder: Path) -> int | None:
    if not folder.is_dir():
        return None
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
