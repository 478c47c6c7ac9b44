"""What of a pipeline's folder nothing refers to any more."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from components.metadata import Metadata
from components.pusher.roll_back import KEY, Push, find_pushes
from components.pusher.versions import Versions
from components.runner import PARTIAL, SCRATCH

_BASE = "base_model"


@dataclass(frozen=True)
class Garbage:
    """Folders that can go together.

    Args:
        folders: Of the outputs of one execution, or one that the metadata do not know.
        why: For people.
        execution: Id; 0 where no live artifact is among them.
    """

    folders: tuple[Path, ...]
    why: str
    execution: int = 0


def find_garbage(root: Path, metadata: Metadata, keep: int) -> list[Garbage]:
    """Finds what can go. Within the lock of the folder.

    An execution keeps all of its outputs or none: it is found in the cache only with all. Kept
    is what belongs to the last runs, done or found there; what was pushed and is still among
    the versions of its folder, or was pushed last, with the run that made its model, whose
    statistics new data are compared with; and what any of these was made from. Of the model
    that a training began from that is all but its own beginning, or nothing would ever go.

    Args:
        root: Folder of the runner.
        metadata: Its.
        keep: int. How many runs, roll-backs not counted.

    Raises:
        ValueError: if none is to be kept.
    """
    if keep < 1:
        raise ValueError(f"At least the last run is kept. Received: {keep}.")
    runs = [run for run in metadata.runs() if KEY not in run.properties][-keep:]
    recent = [execution for run in runs for execution, _ in metadata.executions_of(run.id)]
    in_use = [of for push in _pushes_in_use(metadata) for of in _find_run(metadata, push)]
    kept = _with_ancestors(metadata, [*(of.id for of in recent), *in_use])
    found: list[Garbage] = []
    live: set[Path] = set()
    for execution in metadata.executions():
        folders = tuple(artifact.uri for artifact in metadata.outputs(execution.id).values())
        if execution.id in kept:
            live.update(folders)
        elif folders:
            found.append(Garbage(folders, "nothing refers to it", execution.id))
            live.update(folders)
    scratch = {f"{execution.node}-{execution.cache_key}" for execution in recent}
    nodes = {execution.node for execution in metadata.executions()}
    for folder in _find_orphans(root, nodes, scratch):
        if folder not in live:
            found.append(Garbage((folder,), "the metadata do not know it"))
    return found


def remove(garbage: Garbage, metadata: Metadata) -> None:
    """Notes that it goes, then removes it.

    In this order a kill in between leaves a folder that is taken for no output, and that is
    found here the next time. The other way round half a folder would count as an artifact.
    """
    if garbage.execution:
        metadata.delete_outputs(garbage.execution)
    for folder in garbage.folders:
        shutil.rmtree(folder, ignore_errors=True)


def measure(garbage: Iterable[Garbage]) -> int:
    """Returns the bytes that get free: of a file with several names when all of them go."""
    names: Counter[tuple[int, int]] = Counter()
    total = 0
    for folder in (folder for of in garbage for folder in of.folders):
        for path in folder.rglob("*"):
            if path.is_symlink() or not path.is_file():
                continue
            status = path.stat()
            names[status.st_dev, status.st_ino] += 1
            if names[status.st_dev, status.st_ino] == status.st_nlink:
                total += status.st_size
    return total


def _pushes_in_use(metadata: Metadata) -> list[Push]:
    nodes = {of.node for of in metadata.executions() if of.component == "Pusher"}
    in_use = []
    for node in sorted(nodes):
        pushes = find_pushes(metadata, node)
        for push in pushes:
            destination = Path(push.parameters["destination"])
            path = Versions(destination).path(push.pushed.version)
            # A folder that is not there may be a disk that is not mounted.
            if push is pushes[-1] or not destination.is_dir() or push.pushed.is_in(path):
                in_use.append(push)
    return in_use


def _find_run(metadata: Metadata, push: Push) -> list[int]:
    """Returns a push, and what belongs to the run in which its model was made."""
    maker = metadata.maker(push.model.id)
    first = metadata.runs_of(maker.id)[:1] if maker else []
    made = [execution.id for run in first for execution, _ in metadata.executions_of(run)]
    return [push.execution.id, *made]


def _with_ancestors(metadata: Metadata, executions: Iterable[int]) -> set[int]:
    seen: set[tuple[int, bool]] = set()
    waiting = [(execution, False) for execution in executions]
    while waiting:
        execution, is_base = waiting.pop()
        if (execution, is_base) in seen:
            continue
        seen.add((execution, is_base))
        for role, artifact in metadata.inputs(execution).items():
            if is_base and role == _BASE:
                continue
            if maker := metadata.maker(artifact.id):
                waiting.append((maker.id, is_base or role == _BASE))
    return {execution for execution, _ in seen}


def _find_orphans(root: Path, nodes: set[str], scratch: set[str]) -> list[Path]:
    """Returns folders that a runner or a roll-back can have made, artifacts among them.

    Others in there are not ours.
    """
    outputs = [
        path
        for node in sorted(nodes)
        for path in (root / node).glob("*/*")
        if path.name.isdecimal() or path.name.startswith(".partial-")
    ]
    left = [path for path in (root / SCRATCH).glob("*") if path.name not in scratch]
    half = list((root / PARTIAL).glob("*"))
    return [path for path in [*outputs, *left, *half] if path.is_dir()]
