"""Runs what has to be run of a pipeline, and nothing else."""

from __future__ import annotations

import fcntl
import queue
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import IO, Any

from components.artifact import Artifact
from components.component import describe_parameters
from components.content import combine, fingerprint, fingerprint_code
from components.earlier import find_earlier
from components.file_hashes import FILE as HASHES_FILE
from components.file_hashes import FileHashes
from components.here import AtOnce, Here
from components.metadata import FILE, Metadata
from components.pipeline import Node, Output, Pipeline, Source
from components.worker import Step, StepFailed, Worker, describe_error

PARTIAL, SCRATCH, _LOCK = ".partial", ".scratch", ".lock"
_PATIENCE = 1.0
"""Seconds to wait for a lock: who asks whether a runner works has it for a moment."""


class Outcome(StrEnum):
    """What became of a step."""

    DONE = "done"
    CACHED = "cached"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Result:
    """What became of a step of a run.

    Args:
        outcome: Outcome.
        execution: Id; 0 where the step did not begin.
        outputs: Artifacts by name; empty where it failed.
        seconds: That it took.
        error: Why it failed or was skipped.
        cause: What was raised, where the step was done in this process.
    """

    outcome: Outcome
    execution: int = 0
    outputs: Mapping[str, Artifact] = field(default_factory=dict)
    seconds: float = 0.0
    error: str = ""
    cause: BaseException | None = None


@dataclass(frozen=True)
class _Plan:
    """A step that is to be run."""

    node: Node
    execution: int
    step: Step
    read: str
    started: float


class Runner:
    """Runs pipelines in a folder, which holds their artifacts and metadata.

    An artifact is in `<root>/<step>/<output>/<execution>`. It comes there by a rename once
    its step has succeeded, and counts once the metadata say so: what a killed runner or
    step leaves is never taken for an output.

    Args:
        root: Folder. One runner at a time.
        parallel: int. Steps at the same time, each in a process of its own; 0 does one after
            the other in this process.
        say: Called with lines for people.
    """

    def __init__(self, root: Path, *, parallel: int = 2, say: Callable[[str], None]) -> None:
        if parallel < 0:
            raise ValueError(f"Steps at the same time are not negative. Received: {parallel}.")
        self.root = root
        self._parallel = parallel
        self._say = say

    def run(
        self, pipeline: Pipeline, properties: Mapping[str, Any] | None = None
    ) -> dict[str, Result]:
        """Runs the steps whose inputs, parameters or code have changed.

        A step that fails costs those that wait for it; the others run.

        Args:
            pipeline: What to run.
            properties: Noted with the run, such as the span.

        Returns:
            What became of each step, by its name.

        Raises:
            ValueError: if another runner works in the folder.
        """
        with (
            locked(self.root),
            closing(Metadata(self.root / FILE)) as metadata,
            closing(FileHashes(self.root / HASHES_FILE)) as hashes,
        ):
            self._clear(metadata)
            run = metadata.begin_run(pipeline.name, properties or {})
            return _Run(self, pipeline, metadata, hashes, run).work()

    def _clear(self, metadata: Metadata) -> None:
        """Removes what a killed runner left half done."""
        for execution in metadata.cancel_running():
            self._say(f"{execution.node} was interrupted and runs again where it is still needed")
            for folder in (self.root / execution.node).glob(f"*/{execution.id}"):
                shutil.rmtree(folder)
        shutil.rmtree(self.root / PARTIAL, ignore_errors=True)


class _Run:
    """One run of a pipeline."""

    def __init__(
        self,
        runner: Runner,
        pipeline: Pipeline,
        metadata: Metadata,
        hashes: FileHashes,
        run: int,
    ) -> None:
        self._root = runner.root
        self._say = runner._say
        self._parallel = runner._parallel
        self._pipeline = pipeline
        self._metadata = metadata
        self._hashes = hashes
        self._run = run
        self._results: dict[str, Result] = {}
        self._width = max(len(node.name) for node in pipeline.nodes)

    def work(self) -> dict[str, Result]:
        workers: queue.SimpleQueue[Worker | Here] = queue.SimpleQueue()
        started: list[Worker | Here] = [Worker() for _ in range(self._parallel)]
        started = started or [Here()]
        for worker in started:
            workers.put(worker)
        under_way: dict[Future[dict[str, Any]], _Plan] = {}
        waiting = list(self._pipeline.nodes)
        try:
            with ThreadPoolExecutor(self._parallel) if self._parallel else AtOnce() as pool:
                try:
                    while waiting or under_way:
                        for node in [node for node in waiting if self._is_ready(node)]:
                            if len(under_way) == len(started):
                                break
                            waiting.remove(node)
                            plan = self._try_to_begin(node)
                            if plan is not None:
                                under_way[pool.submit(_do, workers, plan)] = plan
                        # What was cached may have made others ready, without anything to wait for.
                        is_free = len(under_way) < len(started)
                        if is_free and any(self._is_ready(node) for node in waiting):
                            continue
                        for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                            self._end(under_way.pop(future), future)
                except BaseException:
                    for worker in started:  # or the pool would wait for their steps
                        worker.stop()
                    raise
        finally:
            for worker in started:
                worker.stop()
        return {node.name: self._results[node.name] for node in self._pipeline.nodes}

    def _is_ready(self, node: Node) -> bool:
        return node.needs <= self._results.keys()

    def _try_to_begin(self, node: Node) -> _Plan | None:
        try:
            return self._begin(node)
        except (OSError, ValueError) as error:
            self._note(node, Result(Outcome.FAILED, error=describe_error(error), cause=error))
            return None

    def _begin(self, node: Node) -> _Plan | None:
        """Finds a step in the cache, or what it needs to run."""
        for before in sorted(node.needs):
            if not self._results[before].outputs:
                self._note(node, Result(Outcome.SKIPPED, error=f"{before} has made nothing"))
                return None
        inputs = {name: self._find(source) for name, source in node.inputs.items()}
        parameters = describe_parameters(node.component.decides(node.parameters))
        read = self._read(node)
        code = fingerprint_code(node.component.executor)
        found = {
            f"input {name}": artifact.fingerprint for name, artifact in inputs.items() if artifact
        }
        key = combine(
            {
                "component": node.component.name,
                "parameters": parameters,
                "read": read,
                "code": code,
                **found,
            }
        )
        cached = self._metadata.find_cached(key)
        if cached is not None:
            outputs = self._metadata.outputs(cached.id)
            folders = {name: artifact.uri for name, artifact in outputs.items()}
            if node.component.holds(node.parameters, folders):
                self._metadata.reuse(self._run, cached.id)
                self._note(node, Result(Outcome.CACHED, cached.id, outputs))
                return None
        execution = self._metadata.begin_execution(
            self._run,
            node.name,
            node.component.name,
            key,
            parameters,
            code,
            read,
            {name: artifact for name, artifact in inputs.items() if artifact},
        )
        outputs_to = {
            name: self._root / PARTIAL / str(execution) / name for name in node.component.outputs
        }
        scratch = self._root / SCRATCH / f"{node.name}-{key}"
        for folder in (*outputs_to.values(), scratch):
            folder.mkdir(parents=True, exist_ok=True)
        folders_in: dict[str, Path | None] = dict.fromkeys(node.component.inputs)
        folders_in |= {name: artifact.uri for name, artifact in inputs.items() if artifact}
        self._say(f"{node.name:<{self._width}}  runs")
        asked = describe_parameters(node.parameters)
        step = Step(node.component.package, folders_in, outputs_to, asked, scratch)
        return _Plan(node, execution, step, read, time.monotonic())

    def _read(self, node: Node) -> str:
        """Returns the fingerprint of what a step reads beside its inputs."""
        found = fingerprint(node.component.reads(node.parameters), self._hashes)
        self._hashes.commit()
        return found

    def _find(self, source: Source) -> Artifact | None:
        if isinstance(source, Output):
            return self._results[source.node].outputs[source.name]
        own = self._results[source.unless.node].outputs[source.unless.name]
        return find_earlier(self._metadata, source, own)

    def _end(self, plan: _Plan, future: Future[dict[str, Any]]) -> None:
        seconds = time.monotonic() - plan.started
        try:
            outputs = self._publish(plan, future.result())
        except (StepFailed, OSError, ValueError) as error:
            told = describe_error(error)
            self._metadata.fail(plan.execution, told)
            shutil.rmtree(self._root / PARTIAL / str(plan.execution), ignore_errors=True)
            cause = error.__cause__ if isinstance(error, StepFailed) else error
            result = Result(Outcome.FAILED, plan.execution, {}, seconds, told, cause)
        else:
            result = Result(Outcome.DONE, plan.execution, outputs, seconds)
        self._note(plan.node, result)

    def _publish(self, plan: _Plan, properties: Mapping[str, Any]) -> dict[str, Artifact]:
        if self._read(plan.node) != plan.read:
            # Half of it may be of the one, half of the other.
            shutil.rmtree(plan.step.scratch, ignore_errors=True)
            raise ValueError(
                "The files that it reads have changed meanwhile. Run the same command again."
            )
        made: dict[str, Artifact] = {}
        for name, folder in plan.step.outputs.items():
            content = fingerprint([folder])
            target = self._root / plan.node.name / name / str(plan.execution)
            target.parent.mkdir(parents=True, exist_ok=True)
            # After a power cut one may be there that the metadata have forgotten.
            shutil.rmtree(target, ignore_errors=True)
            folder.rename(target)
            type_name = plan.node.component.outputs[name]
            made[name] = Artifact(type_name, target, content, properties.get(name, {}))
        noted = self._metadata.complete(plan.execution, made)
        shutil.rmtree(self._root / PARTIAL / str(plan.execution), ignore_errors=True)
        shutil.rmtree(plan.step.scratch, ignore_errors=True)
        return noted

    def _note(self, node: Node, result: Result) -> None:
        self._results[node.name] = result
        told = {
            Outcome.DONE: f"done in {result.seconds:.1f} s",
            Outcome.CACHED: "nothing has changed",
            Outcome.FAILED: f"failed: {result.error}",
            Outcome.SKIPPED: f"skipped: {result.error}",
        }
        self._say(f"{node.name:<{self._width}}  {told[result.outcome]}")


def _do(workers: queue.SimpleQueue[Worker | Here], plan: _Plan) -> dict[str, Any]:
    worker = workers.get()
    try:
        return worker.execute(plan.step)
    finally:
        workers.put(worker)


@contextmanager
def locked(root: Path) -> Iterator[None]:
    """Holds the folder of a pipeline against other runners.

    Raises:
        ValueError: if one works there.
    """
    root.mkdir(parents=True, exist_ok=True)
    with (root / _LOCK).open("w") as file:
        deadline = time.monotonic() + _PATIENCE
        while not _lock(file, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                raise ValueError(
                    f"Another run works in {root}. Wait for it, or stop it: the same command "
                    "then goes on from what it has done."
                )
            time.sleep(0.05)
        yield


def is_locked(root: Path) -> bool:
    """Says whether a runner works in a folder."""
    path = root / _LOCK
    if not path.is_file():
        return False
    with path.open() as file:
        return not _lock(file, fcntl.LOCK_SH)


def _lock(file: IO[str], how: int) -> bool:
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
