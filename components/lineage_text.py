"""Lineage as a tree, and what it comes down to."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

from components.artifact import Artifact
from components.lineage import Lineage, Step

_DIGITS = 12
_LONGEST = 160
"""Characters of a value; `Lineage.to_dict` has all."""


def write_tree(lineage: Lineage) -> str:
    """Returns the lineage as lines for people."""
    name = next(name for name, of in lineage.maker.outputs.items() if of.id == lineage.target.id)
    lines = [
        *_describe_branch(lineage, name, lineage.target, lineage.maker.execution.id, set(), ""),
        "",
        *_summarize(lineage),
    ]
    return "\n".join(lines)


def describe_artifact(artifact: Artifact) -> str:
    """Returns type, fingerprint and properties in a line."""
    known = {name: of for name, of in artifact.properties.items() if of not in ("", [], {}, None)}
    properties = "".join(f" {name}={_short(value)}" for name, value in known.items())
    gone = "" if artifact.uri.is_dir() else " (removed)"
    return f"{artifact.type} {artifact.fingerprint[:_DIGITS]}{properties}{gone}"


def _describe_branch(
    lineage: Lineage, name: str, artifact: Artifact, maker: int, told: set[int], indent: str
) -> Iterator[str]:
    step = lineage.steps[maker]
    yield f"{indent}{name}: {describe_artifact(artifact)}"
    if maker in told:
        yield f"{indent}└─ {step.execution.node} #{maker}, see above"
        return
    told.add(maker)
    yield f"{indent}└─ {_describe_step(step)}"
    for role, read in step.inputs.items():
        if role in step.makers:
            below = f"{indent}   "
            yield from _describe_branch(lineage, role, read, step.makers[role], told, below)


def _describe_step(step: Step) -> str:
    execution = step.execution
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(execution.started))
    read = f", read {step.read[:_DIGITS]}" if step.read else ""
    return f"{execution.node} #{execution.id}, {when}, code {execution.code[:_DIGITS]}{read}"


def _summarize(lineage: Lineage) -> Iterator[str]:
    for step in lineage.sources():
        for artifact in step.outputs.values():
            yield f"Data           {step.execution.node}: {describe_artifact(artifact)}"
            if step.read:
                yield f"               from files {step.read}"
    for step, artifact in lineage.schemas():
        yield f"Schema         {step.execution.node}: {artifact.fingerprint} {artifact.uri}"
    for title, tell in (("Configuration", _configuration), ("Code", _code)):
        for step in lineage.steps.values():
            yield f"{title:<13}  {step.execution.node} #{step.execution.id}: {tell(step)}"


def _configuration(step: Step) -> str:
    values = {name: json.dumps(of, ensure_ascii=False) for name, of in step.parameters.items()}
    told = (f"{name}={_cut(value, _LONGEST)}" for name, value in values.items())
    return ", ".join(told) or "nothing"


def _code(step: Step) -> str:
    return step.execution.code


def _short(value: object) -> str:
    """Cuts fingerprints."""
    return _cut(str(value), _DIGITS) if len(str(value)) == 32 else _cut(str(value), _LONGEST)


def _cut(text: str, length: int) -> str:
    return f"{text[:length]}…" if len(text) > length else text
