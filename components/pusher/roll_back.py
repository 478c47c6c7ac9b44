"""Makes an earlier version live again.

Servers answer with the highest number. So what an earlier version holds is pushed once more
under a new one, and the metadata tell of it as of any push: as an execution of the Pusher
that read the model which it restored.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from components.artifact import Artifact
from components.content import combine, fingerprint, fingerprint_code
from components.metadata import Execution, Metadata, State
from components.pusher.pushed import Pushed, read_pushed
from components.pusher.versions import Versions
from trainer.artefact import find_export
from trainer.files import new_folder

KEY = "roll_back"
"""Of the parameters of such an execution, and of the properties of its run."""


@dataclass(frozen=True)
class Push:
    """A version that the metadata know of.

    Args:
        execution: That pushed it.
        artifact: Its pushed model.
        model: The model that it read.
        pushed: What the artifact says.
    """

    execution: Execution
    artifact: Artifact
    model: Artifact
    pushed: Pushed

    @property
    def parameters(self) -> dict[str, Any]:
        """Those of the Pusher."""
        return json.loads(self.execution.parameters)


@dataclass(frozen=True)
class _Plan:
    """What is restored, in place of which version, and which model is withdrawn for it."""

    push: Push
    source: Path
    instead_of: int
    withdrawn: str

    @property
    def facts(self) -> dict[str, Any]:
        """Of the version that comes."""
        return {"restored": self.push.pushed.version, "instead_of": self.instead_of}


def find_pushes(metadata: Metadata, node: str, destination: Path | None = None) -> list[Push]:
    """Returns what a step has pushed, the oldest first, as far as its artifacts are there.

    Args:
        metadata: Of the pipeline.
        node: Name of the step.
        destination: Only what went there.
    """
    found = []
    for execution in metadata.executions(State.COMPLETE, node):
        artifact = metadata.outputs(execution.id).get("pushed_model")
        model = metadata.inputs(execution.id).get("model")
        pushed = read_pushed(artifact.uri) if artifact else None
        if artifact is None or model is None or pushed is None:
            continue
        push = Push(execution, artifact, model, pushed)
        if destination is None or is_destination(push.parameters, destination):
            found.append(push)
    return found


def is_destination(parameters: dict[str, Any], folder: Path) -> bool:
    """Says whether a Pusher pushes to a folder."""
    return Path(parameters["destination"]).resolve() == folder.resolve()


def roll_back(
    destination: Path, metadata: Metadata, *, to: int = 0, node: str = "Pusher"
) -> Artifact:
    """Makes an earlier version live again, and withdraws the model that is.

    A withdrawn model is not pushed again by a pipeline, only by rolling back to it; that takes
    the roll-back back, and withdraws nothing. Killed on the way, the same call goes on from
    there. Within the lock of the pipeline's folder.

    Args:
        destination: Folder of versions.
        metadata: Of the pipeline that pushed there.
        to: int. Number of the version; by default the newest that is another model than the
            live one and was not withdrawn itself.
        node: Name of the step.

    Returns:
        The pushed model, with `version`, `restored` and `instead_of` among its properties.

    Raises:
        ValueError: if there is nothing to go back to.
    """
    versions = Versions(destination)
    pushes = find_pushes(metadata, node, destination)
    if not pushes:
        raise ValueError(f"Nothing was pushed to {destination} by the step {node!r}.")
    with versions.locked():
        plan = _find_interrupted(metadata, versions, pushes, to) or _choose(versions, pushes, to)
        push = plan.push
        execution = _begin(metadata, plan)
        try:
            if plan.withdrawn:
                versions.withdraw(plan.withdrawn)
            number = versions.push(plan.source)
            # After the push: killed before it, the same call finds the same plan.
            versions.readmit(push.pushed.model)
            pushed = replace(push.pushed, version=number, **plan.facts)
            folder = push.artifact.uri.parent / str(execution)
            with new_folder(folder) as temporary:
                pushed.write(temporary)
            made = Artifact(
                push.artifact.type, folder, fingerprint([folder]), properties=pushed.properties
            )
            noted = metadata.complete(execution, {"pushed_model": made})["pushed_model"]
        except BaseException as error:
            metadata.fail(execution, f"{type(error).__name__}: {error}")
            raise
        versions.retire(push.parameters["keep"], push.parameters["pinned"])
    return noted


def _find_interrupted(
    metadata: Metadata, versions: Versions, pushes: Sequence[Push], to: int
) -> _Plan | None:
    """Returns the plan of a roll-back that was killed after the push and before the note."""
    last = metadata.executions(node=pushes[-1].execution.node)[-1]
    told = json.loads(last.parameters).get(KEY)
    if not told or last.state == State.COMPLETE or to not in (0, told["restored"]):
        return None
    push = next((of for of in pushes if of.pushed.version == told["restored"]), None)
    if push is None or versions.content(versions.live()) != push.pushed.model:
        return None
    source = versions.path(versions.live())
    return _Plan(push, source, told["instead_of"], told["withdrawn"])


def _choose(versions: Versions, pushes: Sequence[Push], to: int) -> _Plan:
    live = versions.live()
    content, withdrawn = versions.content(live), versions.withdrawn()
    passed = {content} if to else {content, *withdrawn}
    for push in reversed(pushes):
        wanted = push.pushed.version == to if to else push.pushed.model not in passed
        if wanted and push.pushed.model in passed:
            raise ValueError(f"Version {to} is what is live already, as version {live}.")
        if wanted and (source := _find_source(versions, push)):
            return _Plan(push, source, live, "" if push.pushed.model in withdrawn else content)
    known = sorted({push.pushed.version for push in pushes if _find_source(versions, push)})
    raise ValueError(
        f"There is no version {to or 'of another model'} to go back to in {versions.folder}. "
        f"Still there are {', '.join(map(str, known)) or 'none'}; live is {live}."
    )


def _find_source(versions: Versions, push: Push) -> Path | None:
    """Returns a folder with what was pushed: a version, or the export of the model."""
    folders = [versions.path(push.pushed.version)]
    with suppress(FileNotFoundError):
        folders.append(find_export(push.model.uri))
    for folder in folders:
        if folder.is_dir() and fingerprint([folder]) == push.pushed.model:
            return folder
    return None


def _begin(metadata: Metadata, plan: _Plan) -> int:
    """Notes that the roll-back begins, as a run of its own; returns its execution."""
    of = plan.push.execution
    for left in metadata.executions(State.RUNNING, of.node):
        if KEY in json.loads(left.parameters):
            metadata.fail(left.id, "interrupted")
    runs = {run.id: run.name for run in metadata.runs()}
    name = next((runs[run] for run in metadata.runs_of(of.id) if run in runs), of.node)
    run = metadata.begin_run(name, {KEY: plan.facts})
    told = {**plan.push.parameters, KEY: {**plan.facts, "withdrawn": plan.withdrawn}}
    return metadata.begin_execution(
        run,
        of.node,
        of.component,
        # Of no step of a pipeline: a roll-back is never found in the cache.
        combine({KEY: str(run)}),
        json.dumps(told, sort_keys=True),
        fingerprint_code(__name__),
        "",
        {"model": plan.push.model},
    )
