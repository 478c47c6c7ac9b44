"""What an artifact was made from, step by step, back to the data."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any

from components.artifact import SCHEMA, Artifact
from components.content import fingerprint
from components.metadata import Execution, Metadata

_NOTHING_READ = fingerprint([])


@dataclass(frozen=True)
class Step:
    """An execution, with what it read and what it made.

    Args:
        execution: Execution.
        inputs: By name.
        outputs: By name.
        makers: Execution that made each input.
        runs: Those that it belongs to.
    """

    execution: Execution
    inputs: Mapping[str, Artifact]
    outputs: Mapping[str, Artifact]
    makers: Mapping[str, int]
    runs: tuple[int, ...]

    @property
    def parameters(self) -> dict[str, Any]:
        """What it was told."""
        return json.loads(self.execution.parameters)

    @property
    def read(self) -> str:
        """Fingerprint of the files that it read beside its inputs, empty where there are none."""
        return "" if self.execution.read in ("", _NOTHING_READ) else self.execution.read


@dataclass(frozen=True)
class Lineage:
    """All that came before an artifact.

    Args:
        target: The artifact.
        steps: By execution, each after those that it needed; the last made the target.
    """

    target: Artifact
    steps: Mapping[int, Step]

    @property
    def maker(self) -> Step:
        """The step that made the target."""
        return list(self.steps.values())[-1]

    def sources(self) -> Iterator[Step]:
        """Yields the steps that read data from outside."""
        return (step for step in self.steps.values() if not step.inputs)

    def schemas(self) -> Iterator[tuple[Step, Artifact]]:
        """Yields the schemas, with the steps that made them."""
        for step in self.steps.values():
            for artifact in step.outputs.values():
                if artifact.type == SCHEMA:
                    yield step, artifact

    def to_dict(self) -> dict[str, Any]:
        """Returns all of it, as JSON can hold it."""
        return {
            "target": _to_dict(self.target),
            "data": [
                {
                    "step": step.execution.node,
                    "read": step.read,
                    "artifacts": {name: _to_dict(of) for name, of in step.outputs.items()},
                }
                for step in self.sources()
            ],
            "schema": [_to_dict(artifact) for _, artifact in self.schemas()],
            "steps": [
                {
                    "execution": step.execution.id,
                    "step": step.execution.node,
                    "component": step.execution.component,
                    "started": step.execution.started,
                    "ended": step.execution.ended,
                    "runs": list(step.runs),
                    "code": step.execution.code,
                    "read": step.read,
                    "parameters": step.parameters,
                    "inputs": {name: artifact.id for name, artifact in step.inputs.items()},
                    "outputs": {name: _to_dict(of) for name, of in step.outputs.items()},
                }
                for step in self.steps.values()
            ],
        }


def trace(metadata: Metadata, target: Artifact) -> Lineage:
    """Finds what an artifact was made from.

    Args:
        metadata: Of the pipeline.
        target: With its id in the metadata.
    """
    maker = metadata.maker(target.id)
    assert maker is not None, target
    found: dict[int, Step] = {}
    waiting = [maker]
    while waiting:
        execution = waiting.pop()
        if execution.id in found:
            continue
        inputs = metadata.inputs(execution.id)
        before = {name: metadata.maker(artifact.id) for name, artifact in inputs.items()}
        found[execution.id] = Step(
            execution,
            inputs,
            metadata.outputs(execution.id, live=False),
            {name: of.id for name, of in before.items() if of},
            tuple(metadata.runs_of(execution.id)),
        )
        waiting += [of for of in before.values() if of]
    graph = {number: set(step.makers.values()) for number, step in sorted(found.items())}
    order = TopologicalSorter(graph).static_order()
    return Lineage(target, {number: found[number] for number in order})


def _to_dict(artifact: Artifact) -> dict[str, Any]:
    return {
        "id": artifact.id,
        "type": artifact.type,
        "uri": str(artifact.uri),
        "there": artifact.uri.is_dir(),
        "fingerprint": artifact.fingerprint,
        "properties": dict(artifact.properties),
    }
