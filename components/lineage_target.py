"""Which artifact is meant: by its folder, by a pushed version, or by answers that it gave."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from components.artifact import MODEL, PUSHED_MODEL, Artifact
from components.content import fingerprint
from components.metadata import Metadata
from components.pusher.pushed import read_run
from trainer import provenance
from trainer.artefact import find_export


def find_target(metadata: Metadata, path: Path) -> Artifact:
    """Finds the artifact that a path means.

    Args:
        metadata: Of the pipeline.
        path: Folder of an artifact, or something in it; an exported model, such as a version
            that was pushed, or a folder of versions; or a file of `taxofuse predict`.

    Raises:
        FileNotFoundError: if the path does not exist.
        ValueError: if the pipeline has not made it.
    """
    if not path.exists():
        raise FileNotFoundError(f"Not found: {path.absolute()}")
    artifacts = metadata.artifacts(live=False)
    found = _by_folder(artifacts, path.resolve())
    if found is None and path.is_file():
        run = provenance.read_run(path)
        found = _by_run(artifacts, run)
        told = f"the training {run[:12]}"
    elif found is None:
        version = find_export(path)
        found = _by_model(artifacts, version) or _by_run(artifacts, read_run(version))
        told = f"{version} or a model of the same training"
    if found is None:
        raise ValueError(f"The pipeline has made nothing that fits {path}: {told} is not known.")
    return found


def _by_folder(artifacts: Iterable[Artifact], path: Path) -> Artifact | None:
    by_folder = {artifact.uri.resolve(): artifact for artifact in artifacts}
    return next((by_folder[of] for of in (path, *path.parents) if of in by_folder), None)


def _by_model(artifacts: Iterable[Artifact], version: Path) -> Artifact | None:
    """Finds the push of a version by its content; the last that gave it its number, if any."""
    content = fingerprint([version])
    pushed = [
        of for of in artifacts if of.type == PUSHED_MODEL and of.properties.get("model") == content
    ]
    numbered = [of for of in pushed if str(of.properties["version"]) == version.name]
    return next(reversed(numbered or pushed), None)


def _by_run(artifacts: Iterable[Artifact], run: str) -> Artifact | None:
    """Finds what holds a model of a training: what was pushed before what was not."""
    if not run:
        return None
    found = [of for of in artifacts if of.type in (MODEL, PUSHED_MODEL) and _run_of(of) == run]
    return max(found, key=lambda of: (of.type == PUSHED_MODEL, of.id), default=None)


def _run_of(artifact: Artifact) -> str:
    if "run" in artifact.properties:
        return artifact.properties["run"]
    try:
        return read_run(find_export(artifact.uri))
    except FileNotFoundError:  # removed, or nothing was pushed
        return ""
